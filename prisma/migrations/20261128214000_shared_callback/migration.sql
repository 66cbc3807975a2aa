-- AlterTable
ALTER TABLE "mcp_server_configs" ADD COLUMN     "oauth2_callback_mode" TEXT NOT NULL DEFAULT 'own';

-- Below: what schema.prisma cannot say.

ALTER TABLE "mcp_server_configs"
  ADD CONSTRAINT "mcp_server_configs_oauth2_callback_mode_check" CHECK ("oauth2_callback_mode" IN ('own', 'shared'));
