-- AlterTable
ALTER TABLE "mcp_server_user_tokens" ADD COLUMN     "blocked_reason" TEXT,
ADD COLUMN     "refresh_refusals" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "refused_since" TIMESTAMPTZ(3);

-- Below: what schema.prisma cannot say.

ALTER TABLE "mcp_server_user_tokens"
  ADD CONSTRAINT "mcp_server_user_tokens_refresh_refusals_check" CHECK ("refresh_refusals" >= 0),
  ADD CONSTRAINT "mcp_server_user_tokens_refused_since_check" CHECK (("refresh_refusals" = 0) = ("refused_since" IS NULL)),
  ADD CONSTRAINT "mcp_server_user_tokens_blocked_reason_check" CHECK (char_length("blocked_reason") BETWEEN 1 AND 400);

-- Finds the connections that end because their token expired and cannot be refreshed.
CREATE INDEX "mcp_server_user_tokens_unrefreshable_idx" ON "mcp_server_user_tokens" ("expires_at")
  WHERE "refresh_token" IS NULL;

-- A connection that is blocked, or works again, is a change that its user sees.
CREATE CONSTRAINT TRIGGER "mcp_server_user_tokens_blocked_feed" AFTER UPDATE ON "mcp_server_user_tokens"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.blocked_reason IS DISTINCT FROM OLD.blocked_reason)
  EXECUTE FUNCTION "feed_connection_change"();
