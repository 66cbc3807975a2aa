-- CreateTable
CREATE TABLE "rate_counts" (
    "name" TEXT NOT NULL,
    "points" INTEGER NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "rate_counts_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "rate_counts_ends_at_idx" ON "rate_counts"("ends_at");
