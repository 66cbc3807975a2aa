import { readFile } from 'node:fs/promises';
import { describe, expect, type TestContext, test } from 'vitest';
import { findTestServer } from '../setup/find-server.ts';
import { createScratchCopy, type ScratchCopy } from '../setup/scratch-copy.ts';
import { type Step, WALKS } from './contributing-steps.ts';

type Heading = keyof typeof WALKS;
/** A step by the heading of its list and its number there. */
type StepName = `${Heading} ${number}`;

/** Steps that are left out together, and the line of the output that names what each would have done. */
type LeftOut = readonly (readonly [StepName, RegExp])[];

/** The tests that hold the tables that the lists mention. `names` limits them to the tables. */
const TABLES = {
  files: [
    'test/policy/policy.test.ts',
    'test/errors.test.ts',
    'test/data/migrations.test.ts',
    'test/data/repositories.test.ts',
    'test/domain/config-fields.test.ts',
    'test/graphql/audit-coverage.test.ts',
    'test/graphql/root-permissions.test.ts',
    'test/graphql/visible-to.test.ts',
  ],
  names:
    /^the tables? (?:has|have) exactly|the table lists every|has a policy action|field contact|docs.errors|then matches|has rows/,
};
/** As in `npm test`: on the server if there is one, because that is faster. */
const database = (await findTestServer()) === undefined ? 'embedded' : 'server';
/** Only the test that compares the migrations with the schema. */
const DRIFT = { files: ['test/data/migrations.test.ts'], names: /then matches/ };

const contributing = await readFile(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8');

const ALL = /^/;
const NONE = /^(?!)$/;
/** What the tables need of the commands, if the schema is printed afterwards. */
const MIGRATION = /db:diff/;

/** The items of the numbered list under a heading. */
function listItems(heading: string): string[] {
  const [, section = ''] = contributing.split(`\n## ${heading}\n`);
  const [list = ''] = section.split('\n## ');
  return list.split(/^\d+\. /m).slice(1);
}

/** A copy for one test. It is removed when the test ends. */
async function openCopy({ onTestFinished }: TestContext): Promise<ScratchCopy> {
  const copy = await createScratchCopy();
  onTestFinished(copy.remove);
  return copy;
}

/** Follows all lists, except the steps that are left out. Of the commands of steps, only those that match run. */
async function follow(
  copy: ScratchCopy,
  { except, commands }: { except: readonly StepName[]; commands: RegExp },
): Promise<void> {
  const walks = Object.entries(WALKS) as [Heading, readonly Step[]][];
  for (const [heading, steps] of walks) {
    for (const [index, { edits, command }] of steps.entries()) {
      if (except.includes(`${heading} ${index + 1}`)) continue;
      await copy.edit((await edits?.(copy)) ?? []);
      const [program, ...args] = command ?? [];
      if (program === undefined || !commands.test(args.join(' '))) continue;
      const { exitCode, output } = await copy.run(program, ...args);
      expect(exitCode, output).toBe(0);
    }
  }
}

/** Two copies are checked at a time: more threads would take more processor time. */
function checkTypes(copy: ScratchCopy, ...args: string[]) {
  return copy.run('npx', '--no-install', 'tsc', '--noEmit', '--singleThreaded', '--pretty', 'false', ...args);
}

function runTests(copy: ScratchCopy, { files, names }: typeof TABLES) {
  const options = ['--project', 'unit', '--project', database, '--maxWorkers', '1'];
  return copy.run('npx', '--no-install', 'vitest', 'run', ...options, ...files, '-t', names.source);
}

describe.concurrent('the lists in CONTRIBUTING.md', () => {
  test.for(Object.entries(WALKS))(
    '%s: each step names the files and commands that it needs',
    async ([heading, steps], context) => {
      const copy = await openCopy(context);
      const items = listItems(heading);
      expect(items).toHaveLength(steps.length);
      for (const [index, { edits, command }] of (steps as readonly Step[]).entries()) {
        for (const [file] of (await edits?.(copy)) ?? []) expect(items[index]).toContain(`\`${file}\``);
        if (command !== undefined) expect(items[index]).toContain(`\`${command.slice(0, 3).join(' ')}`);
      }
    },
  );

  test('are complete: with every step, the types are right and the tables agree', async (context) => {
    const copy = await openCopy(context);
    await follow(copy, { except: [], commands: ALL });
    const types = await checkTypes(copy);
    expect(types.output).toBe('');
    const tests = await runTests(copy, TABLES);
    expect(tests.exitCode, tests.output).toBe(0);
    expect(tests.output).toMatch(/Test Files .*8 passed/);
  });
});

describe.concurrent('a step that is left out', () => {
  const inTypes: readonly LeftOut[] = [
    [
      ['Add a field 4', /server-mapping\.ts.*'contact'/],
      ['Add a mutation 2', /chat-service\.ts.*"chat\.rename"/],
      ['Add an error code 2', /problem\.ts.*'GONE'/],
    ],
    [
      ['Add a field 1', /src\/domain\/configs\/config-rules\.ts.*'contact'/],
      ['Add a mutation 1', /chat-repository\.ts.*"chat\.rename"/],
      ['Add an error code 1', /problem\.ts.*'GONE'/],
    ],
    [
      ['Add a field 2', /src\/domain\/configs\/config-draft\.ts.*'contact'/],
      ['Add a mutation 3', /mutations\.ts.*'rename'/],
      ['Add a migration 1', /config-repository\.ts.*contact/],
    ],
  ];
  const inCheck: LeftOut = [['Add an error code 4', /^gone .*src\/errors\.ts/m]];
  const inTests: readonly (readonly [LeftOut, typeof TABLES])[] = [
    [
      [
        ['Add a field 3', /^ FAIL .*the field contact of a config > can be written and read in the graph/m],
        ['Add a mutation 5', /^[-+] +"Mutation\.renameChat"/m],
        ['Add an error code 3', /^[-+] +"GONE"/m],
      ],
      TABLES,
    ],
    [
      [
        ['Add a field 5', /^[-+] +"McpServerConfig\.contact"/m],
        ['Add a mutation 4', /^[-+] +"Mutation\.renameChat"/m],
        ['Add a migration 4', /^[-+] +"\d+_add_contact"/m],
      ],
      TABLES,
    ],
    [[['Add a migration 2', /ADD COLUMN .*contact/]], DRIFT],
  ];

  const namesOf = (leftOut: LeftOut): StepName[] => leftOut.map(([name]) => name);
  const expectNames = (output: string, leftOut: LeftOut): void => {
    for (const [name, line] of leftOut) expect(output, name).toMatch(line);
  };

  test('is every step that does something, once', () => {
    const steps = Object.entries(WALKS).flatMap(([heading, list]) =>
      (list as readonly Step[]).flatMap(({ edits, command }, index) =>
        edits === undefined && command === undefined ? [] : [`${heading} ${index + 1}`],
      ),
    );
    const leftOut = [...inTypes, inCheck, ...inTests.map(([names]) => names)].flatMap(namesOf);
    expect(leftOut.sort()).toEqual(steps.sort());
  });

  test.for(inTypes.map((leftOut) => [namesOf(leftOut).join(', '), leftOut] as const))(
    'is named by the type check: %s',
    async ([_names, leftOut], context) => {
      const copy = await openCopy(context);
      await follow(copy, { except: namesOf(leftOut), commands: NONE });
      await copy.run('node', 'scripts/generate.js', 'client');
      // Of the gateway alone, which takes half of the time.
      expectNames((await checkTypes(copy, '--project', 'tsconfig.build.json')).output, leftOut);
    },
  );

  test('is named by the check: unused code, and the command of GraphQL', async (context) => {
    const copy = await openCopy(context);
    await follow(copy, { except: namesOf(inCheck), commands: NONE });
    const { exitCode, output } = await copy.run('npm', 'run', 'check', '--', 'generated files', 'unused code');
    expect(exitCode).toBe(1);
    expectNames(output, inCheck);
    expect(output).toContain('schema.graphql was stale');
  });

  test.for(inTests.map(([leftOut, tests]) => [namesOf(leftOut).join(', '), leftOut, tests] as const))(
    'is named by the tests: %s',
    async ([_names, leftOut, tests], context) => {
      const copy = await openCopy(context);
      await follow(copy, { except: namesOf(leftOut), commands: MIGRATION });
      await copy.run('node', 'scripts/generate.js', 'client', 'schema');
      // No table needs the console, which `npm run generate` and the set-up of tests would build anew.
      await copy.edit([['test/setup/console.ts', /^export default function/, '  return;']]);
      const { exitCode, output } = await runTests(copy, tests);
      expect(exitCode).toBe(1);
      expectNames(output, leftOut);
    },
  );
});
