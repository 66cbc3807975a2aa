-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "role" TEXT NOT NULL DEFAULT 'member',
    "status" TEXT NOT NULL DEFAULT 'active',
    "oidc_issuer" TEXT,
    "oidc_subject" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "deleted_identities" (
    "issuer" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "deleted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "deleted_identities_pkey" PRIMARY KEY ("issuer","subject")
);

-- CreateTable
CREATE TABLE "api_tokens" (
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "api_tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" UUID NOT NULL,
    "token_hash" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "api_token_id" UUID,
    "bootstrap_digest" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sign_in_links" (
    "token_hash" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sign_in_links_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "mcp_server_configs" (
    "id" UUID NOT NULL,
    "display_name" TEXT COLLATE "C" NOT NULL,
    "slug" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "icon_url" TEXT NOT NULL DEFAULT '',
    "transport" TEXT NOT NULL DEFAULT 'streamable_http',
    "url" TEXT NOT NULL,
    "auth_type" TEXT NOT NULL DEFAULT 'none',
    "oauth2_client_id" TEXT NOT NULL DEFAULT '',
    "oauth2_client_secret" TEXT,
    "oauth2_client_secret_key_id" TEXT,
    "oauth2_auth_url" TEXT NOT NULL DEFAULT '',
    "oauth2_token_url" TEXT NOT NULL DEFAULT '',
    "oauth2_revocation_url" TEXT NOT NULL DEFAULT '',
    "oauth2_issuer" TEXT NOT NULL DEFAULT '',
    "oauth2_scopes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "api_key_header" TEXT NOT NULL DEFAULT '',
    "api_key_value" TEXT,
    "api_key_value_key_id" TEXT,
    "custom_headers" TEXT,
    "custom_headers_key_id" TEXT,
    "tool_allow_list" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "tool_deny_list" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "availability" TEXT NOT NULL DEFAULT 'default_off',
    "enabled" BOOLEAN NOT NULL DEFAULT false,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_by" UUID,
    "updated_by" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "mcp_server_configs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "mcp_server_user_tokens" (
    "id" UUID NOT NULL,
    "mcp_server_config_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "access_token" TEXT NOT NULL,
    "access_token_key_id" TEXT NOT NULL,
    "refresh_token" TEXT,
    "refresh_token_key_id" TEXT,
    "token_type" TEXT NOT NULL DEFAULT 'Bearer',
    "scopes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "expires_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "mcp_server_user_tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chats" (
    "id" UUID NOT NULL,
    "owner_id" UUID NOT NULL,
    "title" TEXT NOT NULL DEFAULT '',
    "mcp_server_ids" UUID[] NOT NULL DEFAULT ARRAY[]::UUID[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "chats_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "chat_messages" (
    "id" UUID NOT NULL,
    "chat_id" UUID NOT NULL,
    "content" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "chat_messages_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "encryption_keys" (
    "number" INTEGER NOT NULL,
    "active_digest" TEXT,
    "revoked_digest" TEXT,
    "canary" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "encryption_keys_pkey" PRIMARY KEY ("number")
);

-- CreateIndex
CREATE INDEX "users_created_at_id_idx" ON "users"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "users_oidc_issuer_oidc_subject_key" ON "users"("oidc_issuer", "oidc_subject");

-- CreateIndex
CREATE UNIQUE INDEX "api_tokens_token_hash_key" ON "api_tokens"("token_hash");

-- CreateIndex
CREATE INDEX "api_tokens_user_id_idx" ON "api_tokens"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "sessions_token_hash_key" ON "sessions"("token_hash");

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

-- CreateIndex
CREATE INDEX "sessions_api_token_id_idx" ON "sessions"("api_token_id");

-- CreateIndex
CREATE INDEX "sessions_expires_at_idx" ON "sessions"("expires_at");

-- CreateIndex
CREATE INDEX "sign_in_links_user_id_idx" ON "sign_in_links"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "mcp_server_configs_slug_key" ON "mcp_server_configs"("slug");

-- CreateIndex
CREATE INDEX "mcp_server_configs_display_name_id_idx" ON "mcp_server_configs"("display_name", "id");

-- CreateIndex
CREATE INDEX "mcp_server_configs_created_by_idx" ON "mcp_server_configs"("created_by");

-- CreateIndex
CREATE INDEX "mcp_server_configs_updated_by_idx" ON "mcp_server_configs"("updated_by");

-- CreateIndex
CREATE INDEX "mcp_server_configs_oauth2_client_secret_key_id_idx" ON "mcp_server_configs"("oauth2_client_secret_key_id");

-- CreateIndex
CREATE INDEX "mcp_server_configs_api_key_value_key_id_idx" ON "mcp_server_configs"("api_key_value_key_id");

-- CreateIndex
CREATE INDEX "mcp_server_configs_custom_headers_key_id_idx" ON "mcp_server_configs"("custom_headers_key_id");

-- CreateIndex
CREATE INDEX "mcp_server_user_tokens_user_id_idx" ON "mcp_server_user_tokens"("user_id");

-- CreateIndex
CREATE INDEX "mcp_server_user_tokens_access_token_key_id_idx" ON "mcp_server_user_tokens"("access_token_key_id");

-- CreateIndex
CREATE INDEX "mcp_server_user_tokens_refresh_token_key_id_idx" ON "mcp_server_user_tokens"("refresh_token_key_id");

-- CreateIndex
CREATE UNIQUE INDEX "mcp_server_user_tokens_mcp_server_config_id_user_id_key" ON "mcp_server_user_tokens"("mcp_server_config_id", "user_id");

-- CreateIndex
CREATE INDEX "chats_owner_id_created_at_id_idx" ON "chats"("owner_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "chats_mcp_server_ids_idx" ON "chats" USING GIN ("mcp_server_ids");

-- CreateIndex
CREATE INDEX "chat_messages_chat_id_created_at_id_idx" ON "chat_messages"("chat_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "encryption_keys_active_digest_key" ON "encryption_keys"("active_digest");

-- CreateIndex
CREATE UNIQUE INDEX "encryption_keys_revoked_digest_key" ON "encryption_keys"("revoked_digest");

-- AddForeignKey
ALTER TABLE "api_tokens" ADD CONSTRAINT "api_tokens_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_api_token_id_fkey" FOREIGN KEY ("api_token_id") REFERENCES "api_tokens"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "sign_in_links" ADD CONSTRAINT "sign_in_links_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_configs" ADD CONSTRAINT "mcp_server_configs_created_by_fkey" FOREIGN KEY ("created_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_configs" ADD CONSTRAINT "mcp_server_configs_updated_by_fkey" FOREIGN KEY ("updated_by") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_configs" ADD CONSTRAINT "mcp_server_configs_oauth2_client_secret_key_id_fkey" FOREIGN KEY ("oauth2_client_secret_key_id") REFERENCES "encryption_keys"("active_digest") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_configs" ADD CONSTRAINT "mcp_server_configs_api_key_value_key_id_fkey" FOREIGN KEY ("api_key_value_key_id") REFERENCES "encryption_keys"("active_digest") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_configs" ADD CONSTRAINT "mcp_server_configs_custom_headers_key_id_fkey" FOREIGN KEY ("custom_headers_key_id") REFERENCES "encryption_keys"("active_digest") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_user_tokens" ADD CONSTRAINT "mcp_server_user_tokens_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_user_tokens" ADD CONSTRAINT "mcp_server_user_tokens_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_user_tokens" ADD CONSTRAINT "mcp_server_user_tokens_access_token_key_id_fkey" FOREIGN KEY ("access_token_key_id") REFERENCES "encryption_keys"("active_digest") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_user_tokens" ADD CONSTRAINT "mcp_server_user_tokens_refresh_token_key_id_fkey" FOREIGN KEY ("refresh_token_key_id") REFERENCES "encryption_keys"("active_digest") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "chats" ADD CONSTRAINT "chats_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "chat_messages" ADD CONSTRAINT "chat_messages_chat_id_fkey" FOREIGN KEY ("chat_id") REFERENCES "chats"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- Below: what schema.prisma cannot say.

-- Letters of an address do not tell two people apart.
CREATE UNIQUE INDEX "users_email_lower_key" ON "users" (lower("email"));

ALTER TABLE "users"
  ADD CONSTRAINT "users_email_check" CHECK (char_length("email") BETWEEN 1 AND 320),
  ADD CONSTRAINT "users_role_check" CHECK ("role" IN ('admin', 'auditor', 'service', 'member')),
  ADD CONSTRAINT "users_status_check" CHECK ("status" IN ('active', 'suspended')),
  ADD CONSTRAINT "users_oidc_check" CHECK (("oidc_issuer" IS NULL) = ("oidc_subject" IS NULL));

ALTER TABLE "api_tokens"
  ADD CONSTRAINT "api_tokens_name_check" CHECK (char_length("name") BETWEEN 1 AND 120),
  ADD CONSTRAINT "api_tokens_token_hash_check" CHECK ("token_hash" ~ '^[0-9a-f]{64}$');
ALTER TABLE "sessions"
  ADD CONSTRAINT "sessions_token_hash_check" CHECK ("token_hash" ~ '^[0-9a-f]{64}$');
ALTER TABLE "sign_in_links"
  ADD CONSTRAINT "sign_in_links_token_hash_check" CHECK ("token_hash" ~ '^[0-9a-f]{64}$');

ALTER TABLE "mcp_server_configs"
  ADD CONSTRAINT "mcp_server_configs_display_name_check" CHECK (char_length("display_name") BETWEEN 1 AND 120),
  ADD CONSTRAINT "mcp_server_configs_slug_check" CHECK ("slug" ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$' AND position('--' in "slug") = 0),
  ADD CONSTRAINT "mcp_server_configs_url_check" CHECK (char_length("url") BETWEEN 1 AND 2048),
  ADD CONSTRAINT "mcp_server_configs_transport_check" CHECK ("transport" IN ('streamable_http', 'sse')),
  ADD CONSTRAINT "mcp_server_configs_auth_type_check" CHECK ("auth_type" IN ('none', 'oauth2', 'api_key', 'custom_headers')),
  ADD CONSTRAINT "mcp_server_configs_availability_check" CHECK ("availability" IN ('force_on', 'default_on', 'default_off')),
  ADD CONSTRAINT "mcp_server_configs_version_check" CHECK ("version" >= 1);

CREATE INDEX "mcp_server_configs_enabled_idx" ON "mcp_server_configs" ("display_name", "id") WHERE "enabled";
CREATE INDEX "mcp_server_configs_forced_idx" ON "mcp_server_configs" ("id") WHERE "enabled" AND "availability" = 'force_on';

-- The last line against plaintext at rest: a sealed value is "v1:" and base64url of at least 80 bytes (salt 32,
-- commitment 32, tag 16), and never without the key that sealed it.
ALTER TABLE "mcp_server_configs"
  ADD CONSTRAINT "mcp_server_configs_oauth2_client_secret_sealed" CHECK (
    ("oauth2_client_secret" IS NULL) = ("oauth2_client_secret_key_id" IS NULL)
    AND ("oauth2_client_secret" IS NULL OR "oauth2_client_secret" ~ '^v1:[A-Za-z0-9_-]{107,}$')),
  ADD CONSTRAINT "mcp_server_configs_api_key_value_sealed" CHECK (
    ("api_key_value" IS NULL) = ("api_key_value_key_id" IS NULL)
    AND ("api_key_value" IS NULL OR "api_key_value" ~ '^v1:[A-Za-z0-9_-]{107,}$')),
  ADD CONSTRAINT "mcp_server_configs_custom_headers_sealed" CHECK (
    ("custom_headers" IS NULL) = ("custom_headers_key_id" IS NULL)
    AND ("custom_headers" IS NULL OR "custom_headers" ~ '^v1:[A-Za-z0-9_-]{107,}$'));
ALTER TABLE "mcp_server_user_tokens"
  ADD CONSTRAINT "mcp_server_user_tokens_access_token_sealed" CHECK ("access_token" ~ '^v1:[A-Za-z0-9_-]{107,}$'),
  ADD CONSTRAINT "mcp_server_user_tokens_refresh_token_sealed" CHECK (
    ("refresh_token" IS NULL) = ("refresh_token_key_id" IS NULL)
    AND ("refresh_token" IS NULL OR "refresh_token" ~ '^v1:[A-Za-z0-9_-]{107,}$'));

ALTER TABLE "encryption_keys"
  ADD CONSTRAINT "encryption_keys_digest_check" CHECK (num_nonnulls("active_digest", "revoked_digest") = 1),
  ADD CONSTRAINT "encryption_keys_revoked_at_check" CHECK (("revoked_digest" IS NULL) = ("revoked_at" IS NULL)),
  ADD CONSTRAINT "encryption_keys_canary_check" CHECK ("canary" ~ '^v1:[A-Za-z0-9_-]{107,}$');
