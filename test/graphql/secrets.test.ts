// On both databases: the drivers' errors, which could reveal values.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onMainDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { DECOYS, HEADER, KEY, LITERALS, SECRET, secretsWith, TRACES, WRONG } from './canaries.ts';
import { readAllRows } from './database-rows.ts';
import { createSubjects, listRootFields, type Subjects, toOperation, uniqueSlug } from './root-fields.ts';

const CREATE =
  'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id hasApiKey } }';
const UPDATE =
  'mutation ($id: UUID!, $patch: UpdateMcpServerConfigInput!) { updateMcpServerConfig(id: $id, patch: $patch) { id } }';

let gateway: TestGateway;
let subjects: Subjects;
/** Everything that the gateway sent: status lines, headers and bodies. */
const answers: string[] = [];

async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await gateway.fetch(path, init);
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  answers.push([response.status, ...headers, await response.clone().text()].join('\n'));
  return response;
}

function post(body: string, token = gateway.tokens.admin): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return send('/graphql', { method: 'POST', headers, body });
}

const postOperation = (query: string, variables?: unknown) => post(JSON.stringify({ query, variables }));

function expectNoTrace(text: string): void {
  for (const trace of TRACES) expect(text.includes(trace), `a canary in ${excerpt(text, trace)}`).toBe(false);
}

function excerpt(text: string, trace: string): string {
  const at = text.indexOf(trace);
  return at === -1 ? '' : text.slice(Math.max(0, at - 300), at + 60);
}

beforeAll(async () => {
  gateway = await createTestGateway();
  subjects = await createSubjects(gateway);
});
afterAll(() => gateway?.close());

function validInput(): Record<string, unknown> {
  return { displayName: 'Canaries', slug: uniqueSlug(), url: 'https://mcp.example.com/mcp' };
}

describe('a secret sent correctly', () => {
  test.each(DECOYS.slice(0, onMainDatabase ? undefined : 2).map((wrap) => [wrap('…'), wrap] as const))(
    'as %j is stored, and only its existence is shown',
    async (_, wrap) => {
      // A header's value is one line.
      const oneLine = (canary: string) => wrap(canary).replaceAll('\n', ' ');
      const created = await postOperation(CREATE, { input: { ...validInput(), ...secretsWith(oneLine) } });
      const { data } = (await created.json()) as { data: { createMcpServerConfig: { id: string } } };
      const { id } = data.createMcpServerConfig;
      const row = await gateway.prisma().mcpServerConfig.findUniqueOrThrow({ where: { id } });
      expect(row.oauth2ClientSecret?.openFor(row.url).expose()).toBe(oneLine(SECRET).trim());
      expect(row.apiKeyValue?.openFor(row.url).expose()).toBe(oneLine(KEY).trim());
      expect(JSON.parse(row.customHeaders?.openFor(row.url).expose() ?? '')).toEqual({
        'X-Canary': oneLine(HEADER).trim(),
      });
      await postOperation(UPDATE, { id: subjects.configId, patch: secretsWith(oneLine) });
    },
  );
});

describe.runIf(onMainDatabase)('a secret sent wrongly', () => {
  test.each(Object.entries(WRONG))('%s is refused', async (_name, wrong) => {
    for (const [query, variables] of [
      [CREATE, { input: { ...validInput(), ...(wrong as object) } }],
      [UPDATE, { id: subjects.configId, patch: wrong }],
    ] as const) {
      const { errors } = (await (await postOperation(query, variables)).json()) as { errors?: unknown[] };
      expect(errors).toMatchObject([{ extensions: { code: 'VALIDATION_FAILED' } }, ...(errors ?? []).slice(1)]);
    }
  });

  test.each(DECOYS.map((wrap) => [wrap('…'), wrap] as const))('as %j in a list is refused', async (_, wrap) => {
    for (const field of ['oauth2ClientSecret', 'apiKeyValue', 'customHeaders', 'authType', 'slug', 'enabled']) {
      for (const value of [[wrap(KEY)], [[wrap(KEY)]], { a: wrap(KEY) }, [{ name: wrap(KEY), value: [wrap(KEY)] }]]) {
        const input = { ...validInput(), [field]: value };
        const { errors } = (await (await postOperation(CREATE, { input })).json()) as { errors?: unknown[] };
        expect(errors?.[0]).toMatchObject({ extensions: { code: 'VALIDATION_FAILED' } });
      }
    }
  });

  test.each(LITERALS)('inline as %s is refused', async (_name, literal) => {
    const fields = `displayName: "A", slug: "${uniqueSlug()}", url: "https://mcp.example.com/"`;
    const queries = [
      `mutation { createMcpServerConfig(input: { ${fields}, ${literal} }) { id } }`,
      `mutation { updateMcpServerConfig(id: "${subjects.configId}", patch: { ${literal} }) { id } }`,
      `mutation ($patch: UpdateMcpServerConfigInput = { ${literal} }) { updateMcpServerConfig(id: "${subjects.configId}", patch: $patch) { id } }`,
    ];
    for (const query of queries) {
      const { errors } = (await (await postOperation(query)).json()) as { errors?: unknown[] };
      expect(errors?.[0]).toMatchObject({ extensions: { code: 'VALIDATION_FAILED' } });
    }
  });

  test('next to a null hidden behind a default is refused', async () => {
    const fields = `displayName: $name, slug: "${uniqueSlug()}", url: "https://mcp.example.com/", apiKeyValue: "${KEY}"`;
    const query = `mutation ($name: String = "A") { createMcpServerConfig(input: { ${fields} }) { id } }`;
    const { errors } = (await (await postOperation(query, { name: null })).json()) as { errors?: unknown[] };
    expect(errors).toMatchObject([{ extensions: { code: 'VALIDATION_FAILED' }, path: ['createMcpServerConfig'] }]);
  });

  test.each<[string, (variables: string) => string]>([
    ['JSON that breaks off', (variables) => `{"query": "{ viewer { id } }", "variables": ${variables}`],
    ['JSON with a trailing comma', (variables) => `{"query": "{ viewer { id } }", "variables": ${variables},}`],
    ['no JSON', (variables) => variables.slice(1)],
    ['a text', (variables) => JSON.stringify(variables)],
    ['variables in a text', (variables) => JSON.stringify({ query: CREATE, variables })],
    ['variables in a list', (variables) => JSON.stringify({ query: CREATE, variables: [variables] })],
    ['extensions in a text', (variables) => JSON.stringify({ query: CREATE, extensions: variables })],
    ['a query that is an object', (variables) => JSON.stringify({ query: JSON.parse(variables) })],
    ['an unknown parameter', (variables) => JSON.stringify({ query: CREATE, secrets: variables })],
    ['a batch', (variables) => JSON.stringify([{ query: CREATE, variables: JSON.parse(variables) }])],
    ['nothing but the variables', (variables) => variables],
  ])('in a body that is %s is refused', async (_name, toBody) => {
    const response = await post(toBody(JSON.stringify({ input: { ...validInput(), ...secretsWith((each) => each) } })));
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as { errors?: unknown[] };
    expect(errors?.[0]).toMatchObject({ extensions: { code: 'VALIDATION_FAILED' } });
  });
});

test("a secret that cannot be stored is masked, whatever the database's error says", async () => {
  const input = { ...validInput(), ...secretsWith((canary) => canary), slug: 'refused', description: KEY };
  await gateway.database.query(
    `ALTER TABLE mcp_server_configs ADD CONSTRAINT refusal CHECK (slug <> 'refused') NOT VALID`,
  );
  for (const [query, variables] of [
    [CREATE, { input }],
    [UPDATE, { id: subjects.configId, patch: input }],
  ] as const) {
    const { errors } = (await (await postOperation(query, variables)).json()) as { errors: unknown[] };
    const errorId = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR', errorId } }]);
    const [error] = errors as { extensions: { errorId: string } }[];
    expect(gateway.logs()).toContain(error?.extensions.errorId);
  }
  expect(gateway.logs()).toContain('constraint refusal');
  await gateway.database.query('ALTER TABLE mcp_server_configs DROP CONSTRAINT refusal');
});

test('secrets with a taken slug, a stale version, a missing config or without permission are refused', async () => {
  const secrets = secretsWith((canary) => canary);
  await postOperation(CREATE, { input: { ...validInput(), ...secrets, slug: subjects.slug } });
  await postOperation(UPDATE, { id: crypto.randomUUID(), patch: secrets });
  const stale = UPDATE.replace('patch: $patch', 'patch: $patch, expectedVersion: 1');
  await postOperation(stale, { id: subjects.configId, patch: secrets });
  for (const role of ['auditor', 'service', 'member', 'suspended'] as const) {
    const body = JSON.stringify({ query: CREATE, variables: { input: { ...validInput(), ...secrets } } });
    await post(body, gateway.tokens[role]);
    await send(`/graphql?${new URLSearchParams({ query: CREATE, variables: JSON.stringify({ input: secrets }) })}`, {
      headers: { authorization: `Bearer ${gateway.tokens[role]}` },
    });
  }
});

test('afterwards no answer, log line or row contains a secret', async () => {
  const queries = listRootFields().filter((field) => field.startsWith('Query.'));
  for (const caller of ['admin', 'auditor', 'service', 'member', 'suspended'] as const) {
    for (const field of queries) {
      await post(JSON.stringify({ query: toOperation(field, subjects) }), gateway.tokens[caller]);
    }
  }
  await send('/metrics', {});
  expect(answers.length).toBeGreaterThan(onMainDatabase ? 300 : 100);
  for (const answer of answers) expectNoTrace(answer);
  expectNoTrace(gateway.logs());
  const rows = await readAllRows(gateway.database);
  expect(rows['mcp_server_configs']?.some((row) => row.includes('v2:'))).toBe(true);
  expectNoTrace(JSON.stringify(rows));
});
