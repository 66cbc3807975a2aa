-- AlterTable
ALTER TABLE "api_tokens" ADD COLUMN     "mcp_server_ids" UUID[] DEFAULT ARRAY[]::UUID[],
ADD COLUMN     "scopes" TEXT[] DEFAULT ARRAY['graph', 'mcp']::TEXT[];

-- Below: what schema.prisma cannot say.

ALTER TABLE "api_tokens"
  ALTER COLUMN "mcp_server_ids" SET NOT NULL,
  ALTER COLUMN "scopes" SET NOT NULL,
  ADD CONSTRAINT "api_tokens_scopes_check" CHECK (
    cardinality("scopes") BETWEEN 1 AND 2 AND "scopes" <@ ARRAY['graph', 'mcp']::TEXT[]),
  ADD CONSTRAINT "api_tokens_mcp_server_ids_check" CHECK (
    cardinality("mcp_server_ids") = 0 OR "scopes" = ARRAY['mcp']::TEXT[]);
