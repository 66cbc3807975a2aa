-- CreateTable
CREATE TABLE "mcp_server_call_hours" (
    "mcp_server_config_id" UUID NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "calls" INTEGER NOT NULL,
    "errors" INTEGER NOT NULL,
    "denied" INTEGER NOT NULL,
    "durations" INTEGER[],

    CONSTRAINT "mcp_server_call_hours_pkey" PRIMARY KEY ("mcp_server_config_id","hour")
);

-- CreateTable
CREATE TABLE "mcp_server_callers" (
    "mcp_server_config_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "last_hour" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "mcp_server_callers_pkey" PRIMARY KEY ("mcp_server_config_id","user_id")
);

-- CreateIndex
CREATE INDEX "mcp_server_call_hours_hour_idx" ON "mcp_server_call_hours"("hour");

-- CreateIndex
CREATE INDEX "mcp_server_callers_user_id_idx" ON "mcp_server_callers"("user_id");

-- CreateIndex
CREATE INDEX "mcp_server_callers_last_hour_idx" ON "mcp_server_callers"("last_hour");

-- AddForeignKey
ALTER TABLE "mcp_server_call_hours" ADD CONSTRAINT "mcp_server_call_hours_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_callers" ADD CONSTRAINT "mcp_server_callers_mcp_server_config_id_fkey" FOREIGN KEY ("mcp_server_config_id") REFERENCES "mcp_server_configs"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "mcp_server_callers" ADD CONSTRAINT "mcp_server_callers_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE RESTRICT;

-- Below: what schema.prisma cannot say.

ALTER TABLE "mcp_server_call_hours"
  ADD CONSTRAINT "mcp_server_call_hours_check" CHECK (
    "calls" >= 0 AND "errors" BETWEEN 0 AND "calls" AND "denied" >= 0
    AND "durations" IS NOT NULL AND array_ndims("durations") = 1 AND cardinality("durations") <= 100);
