-- What lists, filters and sweeps read of tables that grow.
CREATE INDEX "users_role_created_at_id_idx" ON "users" ("role", "created_at", "id");
CREATE INDEX "users_status_created_at_id_idx" ON "users" ("status", "created_at", "id");
CREATE INDEX "sessions_last_seen_at_idx" ON "sessions" ("last_seen_at");
CREATE INDEX "sign_in_links_expires_at_idx" ON "sign_in_links" ("expires_at");
CREATE INDEX "audit_entries_target_id_seq_idx" ON "audit_entries" ("target_id", "seq");
