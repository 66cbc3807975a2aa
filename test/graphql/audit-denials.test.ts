import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CHAT_GROUP } from '../../src/http/rest/chat-operations.ts';
import type { RestOperation } from '../../src/http/rest/operation.ts';
import { SERVER_GROUP } from '../../src/http/rest/server-operations.ts';
import { ROLES } from '../../src/policy/viewer.ts';
import { type Caller, createRestClient } from '../http/rest-client.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { entriesOf, readEntries } from './audit-entries.ts';
import { createSubjects, listRootFields, type Subjects, toOperation } from './root-fields.ts';

let gateway: TestGateway;
let subjects: Subjects;
// On a busy machine, half a minute passes, after which the gateway writes the counts that are due by itself.
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  gateway = await createTestGateway();
  subjects = await createSubjects(gateway);
});
afterAll(async () => {
  await gateway?.close();
  vi.useRealTimers();
});

const DENIALS = ['FORBIDDEN', 'UNAUTHENTICATED'];
/** Longer than repeats of a refusal are counted instead of recorded. */
const calmDown = () => gateway.clock.advance(3_600_000);

describe('a refusal in the graph', () => {
  let refusals = 0;

  test.each(listRootFields().filter((field) => /^(?:Query|Mutation)\.(?!delete)/.test(field)))(
    'of %s is recorded',
    async (rootField) => {
      const [type = '', field = ''] = rootField.split('.');
      for (const role of ROLES) {
        let isRefused = false;
        const entries = await entriesOf(gateway, async () => {
          const query = toOperation(rootField, subjects, role);
          const { errors } = await gateway.graphql(query, { token: gateway.tokens[role] });
          isRefused = errors?.some(({ extensions }) => DENIALS.includes(extensions.code)) ?? false;
        });
        const denied = entries.filter(({ outcome }) => outcome === 'denied');
        if (!isRefused) expect(denied, role).toEqual([]);
        else {
          refusals += 1;
          expect(entries, role).toMatchObject([
            {
              action: 'access.denied',
              outcome: 'denied',
              actor_kind: 'user',
              actor_id: gateway.userIds[role],
              actor_email: `${role}@example.com`,
              actor_role: role,
              target_type: 'operation',
              target_label: `${type.toLowerCase()} ${field}`,
              reason: 'FORBIDDEN.',
              request_id: expect.any(String),
            },
          ]);
        }
      }
    },
  );

  test('occurs often enough for these tests to mean something', () => {
    expect(refusals).toBeGreaterThan(50);
  });

  test('is recorded by the field name and not by the alias', async () => {
    calmDown();
    const canary = 'canaryAlias';
    const entries = await entriesOf(gateway, () =>
      gateway.graphql(`{ ${canary}: verifyAuditLog { checked } viewer { id } }`, { token: gateway.tokens.member }),
    );
    expect(entries.map(({ target_label }) => target_label)).toEqual(['query verifyAuditLog']);
    expect(JSON.stringify(entries)).not.toContain(canary);
  });

  test.each([
    ['no credential', undefined],
    ['a token that is none', 'gth_none'],
    ["a suspended user's token", 'suspended'],
  ])('with %s is recorded as unauthenticated, without the credential', async (_name, token) => {
    calmDown();
    const sent = token === 'suspended' ? gateway.tokens.suspended : token;
    const entries = await entriesOf(gateway, () => gateway.graphql('{ viewer { id } }', { token: sent }));
    expect(entries).toMatchObject([
      { actor_kind: 'nobody', actor_id: null, target_label: 'POST /graphql', reason: 'UNAUTHENTICATED.' },
    ]);
    if (sent !== undefined) expect(JSON.stringify(entries)).not.toContain(sent);
  });
});

describe('a refusal in REST', () => {
  const operations = [SERVER_GROUP, CHAT_GROUP].flatMap(({ prefix, operations: all }) =>
    Object.entries<RestOperation>(all).map(([name, operation]) => ({ name, prefix, operation })),
  );

  test.each(operations)('of $name is recorded with method and route', async ({ prefix, operation }) => {
    const { method, path } = operation;
    const rest = createRestClient(gateway);
    const id = '00000000-0000-4000-8000-00000000dead';
    const url = `${prefix}${path}`.replace('{id}', id);
    const route = `${prefix}${path}`.replace('{id}', ':id');
    for (const caller of [...ROLES, 'suspended', 'nobody'] satisfies Caller[]) {
      calmDown();
      let code: string | undefined;
      const entries = await entriesOf(gateway, async () => {
        const body = operation.body === undefined ? undefined : {};
        code = (await rest.call(caller, method.toUpperCase(), url, body)).body?.code;
      });
      const denied = entries.filter(({ outcome }) => outcome === 'denied');
      if (code === undefined || !DENIALS.includes(code)) expect(denied, caller).toEqual([]);
      else {
        const actor = code === 'FORBIDDEN' ? { actor_kind: 'user', actor_role: caller } : { actor_kind: 'nobody' };
        const target = { target_type: 'operation', target_label: `${method.toUpperCase()} ${route}` };
        expect(entries, caller).toMatchObject([
          { action: 'access.denied', outcome: 'denied', reason: `${code}.`, ...actor, ...target },
        ]);
        // The log has only the route, not who sent what.
        expect(JSON.stringify(entries)).not.toContain(id);
      }
      if (caller === 'nobody' || caller === 'suspended') expect(denied).toHaveLength(1);
    }
  });

  test('of a cross-site page with a session is recorded for its user', async () => {
    const opened = await gateway.fetch('/auth/session', {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.tokens.member}` },
    });
    const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
    const entries = await entriesOf(gateway, () =>
      gateway.fetch('/auth/session', { method: 'DELETE', headers: { cookie, 'sec-fetch-site': 'cross-site' } }),
    );
    expect(entries).toMatchObject([
      {
        outcome: 'denied',
        actor_id: gateway.userIds.member,
        target_label: 'DELETE /auth/session',
        reason: 'FORBIDDEN.',
      },
    ]);
  });

  test.each([
    ['POST', '/auth/session'],
    ['DELETE', '/auth/session'],
    ['GET', '/auth/sign-in?token=canary'],
  ])('of an unauthenticated %s %s is recorded', async (method, path) => {
    calmDown();
    const entries = await entriesOf(gateway, () => gateway.fetch(path, { method }));
    expect(entries).toMatchObject([{ outcome: 'denied', target_label: `${method} ${path.split('?')[0]}` }]);
    expect(JSON.stringify(entries)).not.toContain('canary');
  });

  test('on a page for people is recorded too', async () => {
    calmDown();
    const url = `${SERVER_GROUP.prefix}/${subjects.configId}/oauth2/connect`;
    const entries = await entriesOf(gateway, () => gateway.fetch(url, { headers: { accept: 'text/html' } }));
    expect(entries).toMatchObject([
      { outcome: 'denied', target_label: `GET ${SERVER_GROUP.prefix}/:id/oauth2/connect`, actor_kind: 'nobody' },
    ]);
  });
});

test('a refused action is never recorded as done', async () => {
  const entries = await readEntries(gateway);
  const refused = entries.filter(({ action }) => action === 'access.denied');
  expect(refused.length).toBeGreaterThan(100);
  for (const { outcome, changes } of refused) expect([outcome, changes]).toEqual(['denied', '[]']);
});
