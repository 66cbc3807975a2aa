// On the embedded database: it shows a page.

import { type OperationDefinitionNode, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSchema } from '../../src/graphql/schema.ts';
import { EXAMPLES, type Example } from '../../src/http/playground/examples.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { readSse } from '../setup/sse-reader.ts';

const schema = buildSchema();
const examples = EXAMPLES.map((example) => ({ name: readOperation(example).name?.value ?? '', example }));

function readOperation({ query }: Example): OperationDefinitionNode {
  const { definitions } = parse(query);
  expect(definitions).toHaveLength(1);
  return definitions[0] as OperationDefinitionNode;
}

describe.each(examples)('the example $name', ({ example }) => {
  test('is valid against the schema', () => {
    expect(validate(schema, parse(example.query))).toEqual([]);
  });

  test('starts with one line that says what it does, and fits half a screen', () => {
    const [comment = '', operation = '', ...rest] = example.query.split('\n');
    expect(comment).toMatch(/^# [A-Z].*\.$/);
    expect(operation).toMatch(/^(query|mutation|subscription) /);
    expect(Math.max(...[comment, operation, ...rest].map((line) => line.length))).toBeLessThanOrEqual(56);
  });

  test('sets each variable that it declares, and no other', () => {
    const declared = (readOperation(example).variableDefinitions ?? []).map(({ variable }) => variable.name.value);
    expect(Object.keys(example.variables ?? {})).toEqual(declared);
  });
});

test('no two examples have the same name, which is the title of the tab', () => {
  expect(new Set(examples.map(({ name }) => name)).size).toBe(examples.length);
});

describe('run in order by an admin', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await createTestGateway();
  });
  afterAll(() => gateway.close());

  /** The first event of a subscription. */
  const follow: TestGateway['graphql'] = async (query, { token, variables } = {}) => {
    const response = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query, variables }),
    });
    const events = readSse(response.body as ReadableStream<Uint8Array>);
    const { value } = await events.next();
    await events.return(undefined);
    return { status: response.status, ...JSON.parse(value?.data ?? '') };
  };

  test('they create three servers, list them, disable and enable one, and remove tokens', async () => {
    let serverId: unknown;
    const results: Record<string, any> = {};
    for (const { name, example } of examples) {
      const text = JSON.stringify(example.variables ?? {})
        .replace('put the id of a server here', String(serverId))
        .replace('put the id of a user here', gateway.userIds.member);
      const variables: unknown = JSON.parse(text);
      const run = readOperation(example).operation === 'subscription' ? follow : gateway.graphql;
      const { data, errors } = await run(example.query, { token: gateway.tokens.admin, variables });
      expect(errors, name).toBeUndefined();
      results[name] = Object.values(data)[0];
      serverId ??= results['CreateOpenServer']?.mcpServerConfig.id;
    }
    expect(results).toMatchObject({
      WhoAmI: { id: gateway.userIds.admin, email: 'admin@example.com', role: 'ADMIN', status: 'ACTIVE' },
      CreateOpenServer: { mcpServerConfig: { slug: 'deepwiki', authType: 'NONE', enabled: false } },
      CreateApiKeyServer: {
        mcpServerConfig: { slug: 'context7', authType: 'API_KEY', enabled: false, hasApiKey: true },
      },
      CreateOAuthServer: {
        mcpServerConfig: { slug: 'github', authType: 'OAUTH2', enabled: false, hasOAuth2Secret: true },
      },
      ListServers: {
        totalCount: 3,
        nodes: [{ slug: 'context7' }, { slug: 'deepwiki' }, { slug: 'github' }],
        pageInfo: { hasNextPage: false },
      },
      FollowChanges: { type: 'ADDED', config: { version: expect.any(Number) } },
      EnableServer: { mcpServerConfig: { slug: 'deepwiki', enabled: true, version: 2 } },
      DisableServer: { mcpServerConfig: { slug: 'deepwiki', enabled: false, version: 3 } },
      ListUsers: { totalCount: 6 },
      RemoveUserTokens: { removedCount: 0 },
    });
  });
});
