-- AlterTable
ALTER TABLE "mcp_server_tool_lists" ADD COLUMN     "listener_id" UUID,
ADD COLUMN     "listener_until" TIMESTAMPTZ(3);

-- Below: what schema.prisma cannot say.

-- One replica hears a server: who it is stands at the list that everybody shares.
ALTER TABLE "mcp_server_tool_lists"
  ADD CONSTRAINT "mcp_server_tool_lists_listener_check" CHECK (
    ("listener_id" IS NULL) = ("listener_until" IS NULL) AND ("listener_id" IS NULL OR "user_id" IS NULL));
