-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "oidc_issuer" TEXT,
ADD COLUMN     "oidc_session_id" TEXT;

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "oidc_role_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "oidc_single_uses" (
    "digest" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "oidc_single_uses_pkey" PRIMARY KEY ("digest")
);

-- CreateIndex
CREATE INDEX "oidc_single_uses_expires_at_idx" ON "oidc_single_uses"("expires_at");

-- CreateIndex
CREATE INDEX "sessions_oidc_issuer_oidc_session_id_idx" ON "sessions"("oidc_issuer", "oidc_session_id");

-- Below: what schema.prisma cannot say.

-- Every session of a sign-in at an issuer says which; not every issuer names its own sessions.
ALTER TABLE "sessions"
  ADD CONSTRAINT "sessions_oidc_check" CHECK ("oidc_session_id" IS NULL OR "oidc_issuer" IS NOT NULL),
  ADD CONSTRAINT "sessions_oidc_session_id_check" CHECK (char_length("oidc_session_id") BETWEEN 1 AND 255);
ALTER TABLE "oidc_single_uses"
  ADD CONSTRAINT "oidc_single_uses_digest_check" CHECK ("digest" ~ '^[0-9a-f]{64}$');
