-- AlterTable
ALTER TABLE "mcp_server_configs" ADD COLUMN     "oauth2_resource_mode" TEXT NOT NULL DEFAULT 'auto';

-- AlterTable
ALTER TABLE "mcp_server_user_tokens" ADD COLUMN     "obtained_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "refresh_failures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "refresh_lease_id" UUID,
ADD COLUMN     "refresh_lease_until" TIMESTAMPTZ(3),
ADD COLUMN     "requested_scopes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "retry_at" TIMESTAMPTZ(3),
ADD COLUMN     "step_up_rounds" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "wanted_scopes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "mcp_server_oauth_discoveries" (
    "mcp_server_config_id" UUID NOT NULL,
    "resource" TEXT NOT NULL,
    "iss_parameter_supported" BOOLEAN NOT NULL,
    "scopes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "registration_url" TEXT NOT NULL DEFAULT '',
    "token_auth_methods" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "client_mode" TEXT NOT NULL,
    "client_auth_method" TEXT NOT NULL,
    "client_secret_expires_at" TIMESTAMPTZ(3),
    "client_is_unknown" BOOLEAN NOT NULL DEFAULT false,
    "registration_lease_id" UUID,
    "registration_lease_until" TIMESTAMPTZ(3),
    "discovered_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "mcp_server_oauth_discoveries_pkey" PRIMARY KEY ("mcp_server_config_id")
);

-- CreateTable
CREATE TABLE "mcp_oauth_flows" (
    "id" UUID NOT NULL,
    "state_hash" TEXT NOT NULL,
    "browser_hash" TEXT NOT NULL,
    "mcp_server_config_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "issuer" TEXT NOT NULL,
    "is_iss_required" BOOLEAN NOT NULL,
    "token_url" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "code_verifier" TEXT NOT NULL,
    "code_verifier_key_id" TEXT NOT NULL,
    "scopes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "mcp_oauth_flows_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "mcp_server_ended_connections" (
    "mcp_server_config_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "ended_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "mcp_server_ended_connections_pkey" PRIMARY KEY ("mcp_server_config_id","user_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "mcp_oauth_flows_state_hash_key" ON "mcp_oauth_flows"("state_hash");

-- CreateIndex
CREATE INDEX "mcp_oauth_flows_mcp_server_config_id_idx" ON "mcp_oauth_flows"("mcp_server_config_id");

-- CreateIndex
CREATE INDEX "mcp_oauth_flows_user_id_created_at_idx" ON "mcp_oauth_flows"("user_id", "created_at");

-- CreateIndex
CREATE INDEX "mcp_oauth_flows_expires_at_idx" ON "mcp_oauth_flows"("expires_at");

-- CreateIndex
CREATE INDEX "mcp_oauth_flows_code_verifier_key_id_idx" ON "mcp_oauth_flows"("code_verifier_key_id");

-- CreateIndex
CREATE INDEX "mcp_server_ended_connections_user_id_idx" ON "mcp_server_ended_connections"("user_id");

-- AddForeignKey
ALTER TABLE "mcp_server_oauth_discoveries" ADD CONSTRAINT "mcp_server_oauth_discoveries_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_oauth_flows" ADD CONSTRAINT "mcp_oauth_flows_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_oauth_flows" ADD CONSTRAINT "mcp_oauth_flows_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_oauth_flows" ADD CONSTRAINT "mcp_oauth_flows_code_verifier_key_id_fkey" FOREIGN KEY ("code_verifier_key_id") REFERENCES "encryption_keys"("active_digest") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_ended_connections" ADD CONSTRAINT "mcp_server_ended_connections_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_ended_connections" ADD CONSTRAINT "mcp_server_ended_connections_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- Below: what schema.prisma cannot say.

ALTER TABLE "mcp_server_configs"
  ADD CONSTRAINT "mcp_server_configs_oauth2_resource_mode_check" CHECK ("oauth2_resource_mode" IN ('auto', 'include', 'omit'));

ALTER TABLE "mcp_server_oauth_discoveries"
  ADD CONSTRAINT "mcp_server_oauth_discoveries_client_mode_check" CHECK ("client_mode" IN ('metadata_document', 'registered')),
  ADD CONSTRAINT "mcp_server_oauth_discoveries_client_auth_method_check" CHECK (
    "client_auth_method" IN ('client_secret_basic', 'client_secret_post', 'none')),
  ADD CONSTRAINT "mcp_server_oauth_discoveries_lease_check" CHECK (
    ("registration_lease_id" IS NULL) = ("registration_lease_until" IS NULL));

ALTER TABLE "mcp_oauth_flows"
  ADD CONSTRAINT "mcp_oauth_flows_state_hash_check" CHECK ("state_hash" ~ '^[0-9a-f]{64}$'),
  ADD CONSTRAINT "mcp_oauth_flows_browser_hash_check" CHECK ("browser_hash" ~ '^[0-9a-f]{64}$'),
  ADD CONSTRAINT "mcp_oauth_flows_code_verifier_sealed" CHECK ("code_verifier" ~ '^v1:[A-Za-z0-9_-]{107,}$');

ALTER TABLE "mcp_server_ended_connections"
  ADD CONSTRAINT "mcp_server_ended_connections_reason_check" CHECK (char_length("reason") BETWEEN 1 AND 400);

ALTER TABLE "mcp_server_user_tokens"
  ADD CONSTRAINT "mcp_server_user_tokens_lease_check" CHECK (("refresh_lease_id" IS NULL) = ("refresh_lease_until" IS NULL)),
  ADD CONSTRAINT "mcp_server_user_tokens_step_up_rounds_check" CHECK ("step_up_rounds" BETWEEN 0 AND 3),
  ADD CONSTRAINT "mcp_server_user_tokens_refresh_failures_check" CHECK ("refresh_failures" >= 0);
