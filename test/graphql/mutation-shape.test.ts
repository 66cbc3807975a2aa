import { execute, type GraphQLObjectType, getNamedType, isInputObjectType, isObjectType, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OperationBudget } from '../../src/graphql/budget/operation-budget.ts';
import { listFormerResults } from '../../src/graphql/mutation-shape/former-fields.ts';
import { ROLES, type Role, type Viewer } from '../../src/policy/viewer.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId, issuesOf } from './config-operations.ts';
import { createSubjects, type Subjects, schema, uniqueSlug } from './root-fields.ts';
import { openEvents } from './sse-client.ts';
import { OVERSIGHT, STAFF, VISIBLE_TO } from './visible-to.ts';

const MUTATIONS = Object.values((schema.getMutationType() as GraphQLObjectType).getFields());
/** Their other forms are tested by all tests that are older than `input`. */
const WITH_FORMER_ARGUMENTS = MUTATIONS.filter(({ args }) => args.some(({ name }) => name !== 'input'));

describe('every mutation', () => {
  test.each(MUTATIONS)('$name has one input, and one payload of its own', ({ name, args, type }) => {
    const titled = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const input = args.find((each) => each.name === 'input');
    expect(String(type)).toBe(`${titled}Payload!`);
    expect(String(input?.type ?? `${titled}Input`).replace('!', '')).toBe(`${titled}Input`);
    for (const each of args) if (each !== input) expect(each.deprecationReason).toBe('Use `input`.');
  });

  test('has a payload whose fields are no entity of another name', () => {
    const payloads = MUTATIONS.map(({ type }) => getNamedType(type));
    for (const type of Object.values(schema.getTypeMap()).filter(isObjectType)) {
      if (type === schema.getMutationType()) continue;
      for (const field of Object.values(type.getFields())) {
        expect(payloads, `${type.name}.${field.name}`).not.toContain(getNamedType(field.type));
      }
    }
  });
});

describe('an entity that was the whole result is visible through the payload as it is by itself', () => {
  /** A viewer of each role asks past the guard before the root fields, and each service answers with `record`. */
  const ask = async (query: string, role: Role, record: object) => {
    const service = new Proxy({}, { get: () => async () => record });
    const viewer: Viewer = { kind: 'user', userId: crypto.randomUUID(), role, credential: { kind: 'bootstrap' } };
    const connectionPage = { rows: [], hasMore: false };
    const found: Record<string, unknown> = { userById: record, connectedUserCount: 3, connectionPage };
    const contextValue = {
      viewer,
      services: new Proxy({}, { get: () => service }),
      loaders: new Proxy({}, { get: (_target, name) => ({ load: async () => found[String(name)] ?? [] }) }),
      budget: new OperationBudget(),
    };
    return execute({ schema, document: parse(query), contextValue });
  };
  const id = crypto.randomUUID();
  const CALLS: Readonly<Record<string, string>> = {
    CreateMcpServerConfigPayload:
      'createMcpServerConfig(input: { displayName: "A", slug: "a", url: "https://a.example/" })',
    UpdateMcpServerConfigPayload: `updateMcpServerConfig(input: { id: "${id}" })`,
    CreateUserPayload: 'createUser(input: { email: "a@example.com" })',
    UpdateUserPayload: `updateUser(input: { id: "${id}" })`,
  };
  const config = {
    url: 'https://a.example/',
    transport: 'sse',
    oauth2ClientId: 'client',
    oauth2AuthUrl: 'https://a.example/a',
    oauth2TokenUrl: 'https://a.example/t',
    oauth2RevocationUrl: 'https://a.example/r',
    oauth2Issuer: 'https://a.example',
    oauth2Scopes: ['read'],
    oauth2ResourceMode: 'auto',
    oauth2CallbackMode: 'own',
    toolApproval: 'pin',
    exposeResources: true,
    exposePrompts: true,
    apiKeyHeader: 'X-Key',
  };
  const restricted = listFormerResults(schema).flatMap(({ payload, name }) => {
    const type = getNamedType((schema.getType(payload) as GraphQLObjectType).getFields()[name]?.type);
    if (!isObjectType(type) || CALLS[payload] === undefined) return [];
    const isRestricted = (field: string) =>
      type.name === 'User'
        ? /^(?:apiTokens|sessions|connections)$/.test(field)
        : VISIBLE_TO[`${type.name}.${field}`] === STAFF;
    return Object.keys(type.getFields())
      .filter(isRestricted)
      .map((field) => ({ coordinate: `${payload}.${field}`, payload, name, field, entity: type.name }));
  });

  test.each(restricted)('$coordinate', async ({ payload, name, field, entity }) => {
    const selection = field === 'connections' ? '{ pageInfo { hasNextPage } }' : '{ id }';
    const inner = /(?:By|apiTokens|sessions|connections)$/.test(field) ? `${field} ${selection}` : field;
    const record = { id, ...config };
    const seen = entity === 'User' ? OVERSIGHT : STAFF;
    for (const [index, role] of ROLES.entries()) {
      const { data, errors } = await ask(
        `mutation { it: ${CALLS[payload]} { ${inner} ${name} { ${inner} } } }`,
        role,
        record,
      );
      expect(errors, role).toBeUndefined();
      const it = data?.['it'] as Record<string, Record<string, unknown>>;
      expect(it[field], role).toEqual(it[name]?.[field]);
      // Without what a loader or a service would have to find.
      if (field in config) expect(it[field] !== null, role).toBe(seen.includes('AUSM'.charAt(index)));
      if (role === 'member') expect(it[field]).toBeNull();
    }
  });

  test('all that is restricted is compared', () => {
    expect(restricted.length).toBeGreaterThan(30);
    expect(ROLES).toEqual(['admin', 'auditor', 'service', 'member']);
  });
});

describe('the former arguments', () => {
  let gateway: TestGateway;
  let subjects: Subjects;
  beforeAll(async () => {
    gateway = await createTestGateway();
    subjects = await createSubjects(gateway);
  });
  afterAll(() => gateway?.close());

  const id = '00000000-0000-4000-8000-00000000beef';
  /** Each mutation in both forms, about something that does not exist, or with a harmless effect. */
  const FORMS: Readonly<Record<string, { former: string; input: string; selects: string }>> = {
    updateMcpServerConfig: {
      former: `id: "${id}", patch: {}`,
      input: `{ id: "${id}" }`,
      selects: 'mcpServerConfig { id }',
    },
    deleteMcpServerConfig: { former: `id: "${id}"`, input: `{ id: "${id}" }`, selects: 'deletedId' },
    disconnectMcpServer: {
      former: `id: "${id}"`,
      input: `{ id: "${id}" }`,
      selects: 'tokenRevoked mcpServerConfig { id }',
    },
    removeMcpServerUserTokens: {
      former: `id: "${id}", userId: "${id}"`,
      input: `{ id: "${id}", userId: "${id}" }`,
      selects: 'removedCount',
    },
    updateUser: {
      former: `id: "${id}", patch: { role: ADMIN }`,
      input: `{ id: "${id}", role: ADMIN }`,
      selects: 'user { id }',
    },
    deleteUser: { former: `id: "${id}"`, input: `{ id: "${id}" }`, selects: 'deletedId' },
    revokeApiToken: { former: `id: "${id}"`, input: `{ id: "${id}" }`, selects: 'apiToken { id }' },
    rotateEncryptionKeys: {
      former: 'dryRun: true, first: 1',
      input: '{ dryRun: true, first: 1 }',
      selects: 'rotation { total }',
    },
    revokeEncryptionKey: { former: 'number: 99', input: '{ number: 99 }', selects: 'encryptionKey { number }' },
  };

  test('are all in the table', () => {
    expect(Object.keys(FORMS).sort()).toEqual(WITH_FORMER_ARGUMENTS.map(({ name }) => name).sort());
  });

  test.each(Object.entries(FORMS))(
    'of %s do the same as its input, and never beside it',
    async (name, { former, input, selects }) => {
      const run = (args: string, caller: 'admin' | 'service' | 'nobody' = 'admin') =>
        gateway.graphql(`mutation { ${name}${args} { ${selects} } }`, {
          token: caller === 'nobody' ? undefined : gateway.tokens[caller],
        });
      const shorten = ({ data, errors }: Awaited<ReturnType<typeof run>>) => ({
        data,
        errors: errors?.map(({ message }) => message),
      });
      expect(shorten(await run(`(${former})`))).toEqual(shorten(await run(`(input: ${input})`)));
      const mixed = issuesOf(await run(`(input: ${input}, ${former})`));
      expect(mixed.length).toBeGreaterThan(0);
      for (const issue of mixed) expect(issue).toMatch(/^(?:id|patch|userId|dryRun|first|number): AMBIGUOUS$/);
      if (name !== 'rotateEncryptionKeys') expect(issuesOf(await run(''))).toEqual(['input: REQUIRED']);
      for (const args of [`(${former})`, `(input: ${input})`, `(input: ${input}, ${former})`]) {
        const codes = async (caller: 'service' | 'nobody') =>
          (await run(args, caller)).errors?.map(({ extensions }) => extensions.code);
        expect(await codes('nobody')).toEqual(['UNAUTHENTICATED']);
        // Everybody may revoke their own tokens, so only what they ask for tells.
        const isAsked = name === 'revokeApiToken' && args.endsWith(`, ${former})`);
        const expected = isAsked ? 'VALIDATION_FAILED' : 'FORBIDDEN';
        expect(await codes('service')).toEqual([expected]);
      }
    },
  );

  test('of an update are taken once: from `input`, or from `id` and `patch`', async () => {
    const { configId } = subjects;
    const run = (args: string) =>
      gateway.graphql(
        `mutation { updateMcpServerConfig(${args}) { version description mcpServerConfig { version } } }`,
        {
          token: gateway.tokens.admin,
        },
      );
    expect(issuesOf(await run('input: { description: "A" }'))).toEqual(['id: REQUIRED']);
    expect(issuesOf(await run('patch: { description: "A" }'))).toEqual(['id: REQUIRED']);
    expect(issuesOf(await run(`patch: { id: "${configId}", description: "A" }`))).toEqual(['patch.id: AMBIGUOUS']);
    expect(issuesOf(await run(`id: "${configId}", expectedVersion: 1, patch: { expectedVersion: 2 }`))).toEqual([
      'patch.expectedVersion: AMBIGUOUS',
    ]);
    const { version } = (await run(`id: "${configId}", patch: { description: "A" }`)).data.updateMcpServerConfig;
    const stale = await run(`input: { id: "${configId}", expectedVersion: ${version - 1}, description: "B" }`);
    expect(stale.errors?.[0].extensions).toMatchObject({ code: 'VERSION_MISMATCH', currentVersion: version });
    const { data } = await run(`input: { id: "${configId}", expectedVersion: ${version}, description: "B" }`);
    expect(data.updateMcpServerConfig).toEqual({
      version: version + 1,
      description: 'B',
      mcpServerConfig: { version: version + 1 },
    });
  });

  test('are never required, and neither is a field of an input that both forms share', () => {
    for (const { args } of WITH_FORMER_ARGUMENTS) {
      for (const { name, type } of args) expect(String(type), name).not.toMatch(/!$/);
    }
    for (const name of ['UpdateMcpServerConfigInput', 'UpdateUserInput']) {
      const type = schema.getType(name);
      if (!isInputObjectType(type)) throw new Error(`${name} is not an input`);
      for (const field of Object.values(type.getFields())) expect(String(field.type)).not.toMatch(/!$/);
    }
  });
});

describe('feedCursor', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await createTestGateway();
  });
  afterAll(() => gateway?.close());

  test('of a change lets its caller follow what comes after it, and not the change itself', async () => {
    const token = gateway.tokens.admin;
    const id = await createId(gateway);
    const change = async (description: string): Promise<string> => {
      const query = `mutation { updateMcpServerConfig(input: { id: "${id}", description: "${description}" }) { feedCursor } }`;
      return (await gateway.graphql(query, { token })).data.updateMcpServerConfig.feedCursor;
    };
    const after = await change('First.');
    await change('Second.');
    const stream = await openEvents(gateway, token, { after });
    expect(await stream.next()).toMatchObject({ type: 'MODIFIED', configId: id, config: { description: 'Second.' } });
    await stream.close();
    // It is the caller's own.
    const others = await openEvents(gateway, gateway.tokens.member, { after });
    expect([await others.next(), others.errors]).toEqual([undefined, ['CURSOR_INVALID']]);
    await others.close();
  });

  test.each([
    ['createMcpServerConfig', () => `{ displayName: "New", slug: "${uniqueSlug()}", url: "https://new.example.com/" }`],
    ['disconnectMcpServer', (id: string) => `{ id: "${id}" }`],
    ['removeMcpServerUserTokens', (id: string) => `{ id: "${id}" }`],
    ['deleteMcpServerConfig', (id: string) => `{ id: "${id}" }`],
    ['importMcpServers', () => '{ content: "{\\"mcpServers\\":{}}" }'],
  ])('of %s is a position in the feed', async (name, toInput) => {
    const id = await createId(gateway);
    const query = `mutation { it: ${name}(input: ${toInput(id)}) { feedCursor } }`;
    const { data, errors } = await gateway.graphql(query, { token: gateway.tokens.admin });
    expect(errors).toBeUndefined();
    const later = await createId(gateway);
    const stream = await openEvents(gateway, gateway.tokens.admin, { after: data.it.feedCursor });
    expect(await stream.next()).toMatchObject({ type: 'ADDED', configId: later });
    await stream.close();
  });
});
