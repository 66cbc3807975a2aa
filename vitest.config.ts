import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { findTestServer } from './test/setup/find-server.ts';

// What breaks things on purpose does not even ask a server that it finds.
const server = process.argv.includes('--project=faults') ? undefined : await findTestServer();

/**
 * What needs a database runs on each kind that this machine has. Files share their worker's modules: loading the graph
 * anew for each would take longer than the tests.
 */
const withDatabase = ['test/{data,domain,field,graphql,http}/**/*.test.ts'];

/** What is about other systems, or the page, and not about the database: once is enough. */
const withoutServer = [
  'test/http/outbound-reach.test.ts',
  'test/http/hostile-token-endpoint.test.ts',
  'test/http/resource-parameter.test.ts',
  'test/http/connect-browser.test.ts',
  'test/http/browser.test.ts',
  'test/http/playground*.test.ts',
  'test/http/openapi.test.ts',
  'test/http/client-address.test.ts',
  'test/http/root.test.ts',
  'test/graphql/http-audits.test.ts',
  'test/domain/oidc-{forgery,issuer}.test.ts',
];

/** What starts the gateway as a user does runs what he runs: the build. */
const withProcess = ['test/cli/**/*.test.ts'];

/** What breaks things on purpose, for long: `npm run test:faults`. */
const withFaults = ['test/faults/**/*.test.ts'];

export default defineConfig({
  resolve: {
    // Vite would take graphql's ES modules where Node, and so every library, takes CommonJS: two graphqls in one process.
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }],
  },
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'console/test/**/*.test.{ts,tsx}'],
          exclude: [...withDatabase, ...withProcess, ...withFaults],
        },
      },
      {
        extends: true,
        test: { name: 'process', include: withProcess, globalSetup: ['test/setup/build.ts'], testTimeout: 120_000 },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: withFaults,
          globalSetup: ['test/setup/build.ts', 'test/setup/faults-server.ts'],
          testTimeout: 300_000,
          // Each takes what the machine has.
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: { name: 'embedded', isolate: false, include: withDatabase, globalSetup: ['test/setup/embedded.ts'] },
      },
      ...(server === undefined
        ? []
        : [
            {
              extends: true as const,
              test: {
                name: 'server',
                isolate: false,
                include: withDatabase,
                exclude: withoutServer,
                globalSetup: ['test/setup/server.ts'],
                provide: { serverUrl: server },
              },
            },
          ]),
    ],
  },
});
