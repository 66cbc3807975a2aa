-- AlterTable
ALTER TABLE "mcp_server_oauth_discoveries" ADD COLUMN     "is_pinned" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "moved_at" TIMESTAMPTZ(3);
