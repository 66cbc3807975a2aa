import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { findTestServer } from './test/setup/find-server.ts';
import { findModuleCache } from './test/setup/module-cache.ts';
import { assignTestFiles, type DatabaseKind } from './test/setup/test-files.ts';

/** The projects that the command line names; all, if it names none. */
const named = process.argv.flatMap((argument, index) =>
  argument === '--project' ? (process.argv[index + 1] ?? []) : argument.split(/^--project=(?!!)/).slice(1),
);
const mayRun = (project: string): boolean => named.length === 0 || named.includes(project);

const server = mayRun('server') || mayRun('process') ? await findTestServer() : undefined;
const databases: DatabaseKind[] = [
  ...(mayRun('embedded') ? ['embedded' as const] : []),
  ...(server === undefined || !mayRun('server') ? [] : ['server' as const]),
];
const files = assignTestFiles(databases);

export default defineConfig({
  resolve: {
    // Vite would load graphql's ES modules, and Node (so every library) its CommonJS modules: two graphqls in one process.
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }],
  },
  test: {
    // Timeouts only end tests that hang. No test may fail because the machine is busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    // Tests make many short-lived objects: a larger space for them halves the time of garbage collection.
    execArgv: ['--max-semi-space-size=64'],
    // Files share their worker's modules: loading the graph anew for each would take longer than the tests.
    isolate: false,
    // The projects, and later runs, share what was made of each file: types are removed once, not once for each project.
    experimental: { fsModuleCache: true, fsModuleCachePath: findModuleCache() },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [...files.unit, 'packages/*/test/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: files.process,
          globalSetup: [
            'test/setup/build.ts',
            'test/setup/embedded-folder.ts',
            ...(server === undefined ? [] : ['test/setup/server.ts']),
          ],
          ...(server !== undefined && { provide: { serverUrl: server } }),
          testTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'contributing',
          include: files.contributing,
          testTimeout: 900_000,
          maxConcurrency: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: files.package,
          globalSetup: ['test/setup/embedded.ts', 'test/setup/console.ts'],
          // Installs download packages and whole Node binaries.
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      // Four files at a time: most of what they do is wait for outages to pass. Each has its own database and gateways.
      ...(['faults', 'faults-alone'] as const).map((name, index) => ({
        extends: true as const,
        test: {
          name,
          include: files[name],
          globalSetup: ['test/setup/build.ts', 'test/setup/faults-server.ts'],
          testTimeout: 300_000,
          maxWorkers: name === 'faults' ? 4 : 1,
          // Projects with other numbers of workers have to be in other groups.
          sequence: { groupOrder: index + 1 },
          isolate: true,
        },
      })),
      {
        extends: true,
        test: {
          name: 'attacks',
          include: files.attacks,
          globalSetup: ['test/setup/build.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // An honest caller's waiting is measured.
          fileParallelism: false,
          isolate: true,
        },
      },
      {
        extends: true,
        test: {
          name: 'conformance',
          include: files.conformance,
          globalSetup: ['test/setup/embedded.ts', 'test/setup/console.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'embedded',
          include: files.embedded,
          globalSetup: ['test/setup/embedded.ts', 'test/setup/console.ts'],
          provide: { alsoOnServer: server !== undefined },
        },
      },
      ...(server === undefined
        ? []
        : [
            {
              extends: true as const,
              test: {
                name: 'server',
                include: files.server,
                globalSetup: ['test/setup/server.ts', 'test/setup/console.ts'],
                provide: { serverUrl: server },
              },
            },
          ]),
    ],
  },
});
