-- CreateTable
CREATE TABLE "oidc_logouts" (
    "digest" TEXT NOT NULL,
    "issued_at" TIMESTAMPTZ(3) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "oidc_logouts_pkey" PRIMARY KEY ("digest")
);

-- CreateIndex
CREATE INDEX "oidc_logouts_expires_at_idx" ON "oidc_logouts"("expires_at");
