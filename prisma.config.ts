import { defineConfig } from 'prisma-cli/config';

// `prisma generate` asks for the native schema engine's path although it never runs it, and would try to
// download one. Migrations here go through @prisma/schema-engine-wasm (src/data/migrations/migrations.ts).
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  datasource: { url: process.env['DATABASE_URL'] ?? '' },
});
