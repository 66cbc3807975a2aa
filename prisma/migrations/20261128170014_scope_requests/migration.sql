-- CreateTable
CREATE TABLE "mcp_server_scope_requests" (
    "mcp_server_config_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "requested_scopes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "wanted_scopes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "step_up_rounds" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "mcp_server_scope_requests_pkey" PRIMARY KEY ("mcp_server_config_id","user_id")
);

-- CreateIndex
CREATE INDEX "mcp_server_scope_requests_user_id_idx" ON "mcp_server_scope_requests"("user_id");

-- AddForeignKey
ALTER TABLE "mcp_server_scope_requests" ADD CONSTRAINT "mcp_server_scope_requests_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_scope_requests" ADD CONSTRAINT "mcp_server_scope_requests_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- Below: what schema.prisma cannot say.

ALTER TABLE "mcp_server_scope_requests"
  ADD CONSTRAINT "mcp_server_scope_requests_step_up_rounds_check" CHECK ("step_up_rounds" BETWEEN 0 AND 3);
