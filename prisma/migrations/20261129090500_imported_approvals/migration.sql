-- CreateTable
CREATE TABLE "mcp_server_imported_approvals" (
    "id" UUID NOT NULL,
    "mcp_server_config_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "approved_by" UUID,
    "approved_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "mcp_server_imported_approvals_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "mcp_server_imported_approvals_approved_by_idx" ON "mcp_server_imported_approvals"("approved_by");

-- CreateIndex
CREATE UNIQUE INDEX "mcp_server_imported_approvals_mcp_server_config_id_name_dig_key" ON "mcp_server_imported_approvals"("mcp_server_config_id", "name", "digest");

-- AddForeignKey
ALTER TABLE "mcp_server_imported_approvals" ADD CONSTRAINT "mcp_server_imported_approvals_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_imported_approvals" ADD CONSTRAINT "mcp_server_imported_approvals_approved_by_fkey" FOREIGN KEY ("approved_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE RESTRICT;

-- Below: what schema.prisma cannot say.

ALTER TABLE "mcp_server_imported_approvals"
  ADD CONSTRAINT "mcp_server_imported_approvals_check" CHECK (
    char_length("name") BETWEEN 1 AND 128 AND "digest" ~ '^[0-9a-f]{64}$');
