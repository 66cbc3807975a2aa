-- Lists of API tokens are sorted by creation, by name (by code point), and by last use, never first.
CREATE INDEX "api_tokens_created_at_id_idx" ON "api_tokens" ("created_at", "id");
CREATE INDEX "api_tokens_name_order_idx" ON "api_tokens" ((lower("name") COLLATE "C"), "id");
CREATE INDEX "api_tokens_used_order_idx" ON "api_tokens" ((coalesce("last_used_at", '-infinity'::timestamptz)), "id");
