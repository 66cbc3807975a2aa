-- AlterTable
ALTER TABLE "mcp_server_user_tokens" ADD COLUMN     "client_id" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "mcp_server_former_clients" (
    "id" UUID NOT NULL,
    "mcp_server_config_id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "client_secret" TEXT,
    "client_secret_key_id" TEXT,
    "client_auth_method" TEXT NOT NULL,
    "replaced_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "mcp_server_former_clients_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "mcp_server_former_clients_client_secret_key_id_idx" ON "mcp_server_former_clients"("client_secret_key_id");

-- CreateIndex
CREATE UNIQUE INDEX "mcp_server_former_clients_mcp_server_config_id_client_id_key" ON "mcp_server_former_clients"("mcp_server_config_id", "client_id");

-- AddForeignKey
ALTER TABLE "mcp_server_former_clients" ADD CONSTRAINT "mcp_server_former_clients_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_former_clients" ADD CONSTRAINT "mcp_server_former_clients_client_secret_key_id_fkey" FOREIGN KEY ("client_secret_key_id") REFERENCES "encryption_keys"("active_digest") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- Below: what schema.prisma cannot say.

ALTER TABLE "mcp_server_former_clients"
  ADD CONSTRAINT "mcp_server_former_clients_client_auth_method_check" CHECK (
    "client_auth_method" IN ('client_secret_basic', 'client_secret_post', 'none')),
  ADD CONSTRAINT "mcp_server_former_clients_client_secret_sealed" CHECK (
    ("client_secret" IS NULL) = ("client_secret_key_id" IS NULL)
    AND ("client_secret" IS NULL OR "client_secret" ~ '^v1:[A-Za-z0-9_-]{107,}$'));

-- The tokens of today were issued to the client of today: a change of the client ends connections. Only a client that was
-- registered anew did not, and which tokens are older is not known.
UPDATE "mcp_server_user_tokens" t SET "client_id" = c."oauth2_client_id"
  FROM "mcp_server_configs" c WHERE c."id" = t."mcp_server_config_id";
