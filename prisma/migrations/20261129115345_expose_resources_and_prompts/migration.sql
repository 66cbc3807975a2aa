-- AlterTable
ALTER TABLE "mcp_server_configs" ADD COLUMN "expose_prompts" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN "expose_resources" BOOLEAN NOT NULL DEFAULT false;
