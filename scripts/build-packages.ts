import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSchema, introspectionFromSchema } from 'graphql';
import { CONFIG_EVENTS } from '../packages/client/src/config-event.ts';

// Builds packages/client into its dist folder: the program, and the schema in the forms that code generators read.

const root = new URL('../', import.meta.url);
const folder = new URL('packages/client/', root);
const dist = new URL('dist/', folder);

rmSync(dist, { recursive: true, force: true });
const compiler = fileURLToPath(new URL('node_modules/typescript-compiler/bin/tsc', root));
const { status } = spawnSync(process.execPath, [compiler, '--project', 'tsconfig.build.json'], {
  cwd: fileURLToPath(folder),
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);

// The compiler rewrites the endings of imports only in JavaScript.
for (const name of readdirSync(dist).filter((each) => each.endsWith('.d.ts'))) {
  const file = new URL(name, dist);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(from '\.\/[a-z-]+)\.ts';/g, "$1.js';"));
}

const schemaFile = new URL('schema.graphql', root);
const schema = buildSchema(readFileSync(schemaFile, 'utf8'));
const introspect = (descriptions: boolean): string =>
  JSON.stringify(
    introspectionFromSchema(schema, {
      descriptions,
      specifiedByUrl: true,
      inputValueDeprecation: true,
      directiveIsRepeatable: true,
    }),
    undefined,
    1,
  );
cpSync(schemaFile, new URL('schema.graphql', dist));
// A manifest for gateways that take only trusted documents.
const hash = createHash('sha256').update(CONFIG_EVENTS).digest('hex');
writeFileSync(new URL('documents.json', dist), JSON.stringify({ [`sha256:${hash}`]: CONFIG_EVENTS }));
writeFileSync(new URL('introspection.json', dist), introspect(true));
// A type, as gql.tada reads it. Without the descriptions, which no type needs.
writeFileSync(
  new URL('introspection.d.ts', dist),
  `/** The schema of the gateway's graph, for \`initGraphQLTada<{ introspection: introspection }>()\`. */\nexport type introspection = ${introspect(false)};\n`,
);
writeFileSync(new URL('introspection.js', dist), 'export {};\n');
