-- Lists of users are sorted by address, by code point, and by time.
CREATE INDEX "users_email_order_idx" ON "users" ((lower("email") COLLATE "C"), "id");
