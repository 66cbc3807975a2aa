import { describe, expect, test } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { type Action, assertCan, can, POLICY, type Resource } from '../../src/policy/policy.ts';
import { NOBODY, ROLES, type Role, SYSTEM, type Viewer } from '../../src/policy/viewer.ts';

/**
 * The whole policy, written a second time: how far each action reaches for each caller. A policy change must change this
 * table too, so that a reviewer sees it.
 * `any` everything · `own` their own · `enabled` enabled configs · `-` nothing.
 */
// biome-ignore format: a table is read by its columns
const TABLE = {
  //                                   admin   auditor service member      system
  'viewer.read':                      ['any',  'any',  'any',  'any',      '-'],
  'mcpServerConfig.list':             ['any',  'any',  'any',  'any',      'any'],
  'mcpServerConfig.read':             ['any',  'any',  'any',  'enabled',  'any'],
  'mcpServerConfig.readAdminFields':  ['any',  'any',  'any',  '-',        '-'],
  'mcpServerConfig.create':           ['any',  '-',    '-',    '-',        '-'],
  'mcpServerConfig.update':           ['any',  '-',    '-',    '-',        '-'],
  'mcpServerConfig.delete':           ['any',  '-',    '-',    '-',        '-'],
  'mcpServerConfig.discoverOAuth':    ['any',  '-',    '-',    '-',        '-'],
  'mcpServerConfig.test':             ['any',  '-',    '-',    '-',        '-'],
  'mcpServerConfig.openSecrets':      ['-',    '-',    '-',    '-',        'any'],
  'mcpServerTool.list':               ['any',  'any',  'any',  'any',      '-'],
  'mcpServerTool.readAny':            ['any',  'any',  'any',  '-',        'any'],
  'mcpServerTool.refresh':            ['any',  '-',    '-',    '-',        '-'],
  'mcpServerTool.approve':            ['any',  '-',    '-',    '-',        '-'],
  'mcpServerTool.call':               ['own',  '-',    '-',    'own',      '-'],
  'mcpServerTool.write':              ['-',    '-',    '-',    '-',        'any'],
  'mcpServerUsage.read':              ['any',  'any',  'any',  '-',        '-'],
  'mcpServerUsage.write':             ['-',    '-',    '-',    '-',        'any'],
  'mcp.use':                          ['own',  'own',  'any',  'own',      '-'],
  'mcpServerConnection.read':         ['any',  'any',  'any',  'own',      '-'],
  'mcpServerConnection.readAny':      ['any',  'any',  'any',  '-',        'any'],
  'mcpServerConnection.connect':      ['own',  '-',    '-',    'own',      '-'],
  'mcpServerConnection.remove':       ['any',  '-',    '-',    'own',      '-'],
  'mcpServerConnection.removeAny':    ['any',  '-',    '-',    '-',        '-'],
  'mcpServerConnection.useTokens':    ['-',    '-',    '-',    '-',        'any'],
  'user.list':                        ['any',  'any',  '-',    '-',        '-'],
  'user.read':                        ['any',  'any',  'any',  'own',      '-'],
  'user.create':                      ['any',  '-',    '-',    '-',        '-'],
  'user.update':                      ['any',  '-',    '-',    '-',        'any'],
  'user.delete':                      ['any',  '-',    '-',    '-',        '-'],
  'apiToken.list':                    ['any',  'any',  'own',  'own',      '-'],
  'apiToken.create':                  ['any',  'own',  'own',  'own',      '-'],
  'apiToken.revoke':                  ['any',  'own',  'own',  'own',      '-'],
  'session.list':                     ['any',  'any',  'own',  'own',      '-'],
  'session.end':                      ['any',  'own',  'own',  'own',      '-'],
  'encryptionKey.list':               ['any',  'any',  '-',    '-',        'any'],
  'encryptionKey.manage':             ['any',  '-',    '-',    '-',        'any'],
  'gatewayStatus.read':               ['any',  'any',  '-',    '-',        '-'],
  'auditLog.read':                    ['any',  'any',  '-',    '-',        '-'],
  'auditLog.append':                  ['-',    '-',    '-',    '-',        'any'],
  'auditLog.verify':                  ['any',  'any',  '-',    '-',        'any'],
  'auditLog.expire':                  ['-',    '-',    '-',    '-',        'any'],
  'feed.read':                        ['-',    '-',    '-',    '-',        'any'],
  'feed.expire':                      ['-',    '-',    '-',    '-',        'any'],
  'feed.subscribe':                   ['any',  'any',  'any',  'any',      '-'],
  'chat.create':                      ['own',  '-',    '-',    'own',      '-'],
  'chat.write':                       ['own',  '-',    '-',    'own',      '-'],
  'chat.delete':                      ['own',  '-',    '-',    'own',      '-'],
  'chat.list':                        ['own',  'own',  'own',  'own',      '-'],
  'chat.read':                        ['own',  'own',  'any',  'own',      'any'],
  'mcpServer.explain':                ['any',  'any',  'any',  'own',      '-'],
  'mcpServerConfig.readImpact':       ['any',  'any',  '-',    '-',        '-'],
  'mcpServerConfig.import':           ['any',  '-',    '-',    '-',        '-'],
  'mcpServerConfig.export':           ['any',  'any',  '-',    '-',        '-'],
  'credential.verify':                ['-',    '-',    '-',    '-',        'any'],
  'session.create':                   ['-',    '-',    '-',    '-',        'any'],
  'signInLink.create':                ['any',  '-',    '-',    '-',        'any'],
  'user.provision':                   ['-',    '-',    '-',    '-',        'any'],
} as const satisfies Record<Action, readonly Reach[]>;

type Reach = 'any' | 'own' | 'enabled' | '-';

const CALLERS = [...ROLES, 'system'] as const;
const ME = '11111111-1111-4111-8111-111111111111';
const SOMEBODY = '22222222-2222-4222-8222-222222222222';

const RESOURCES: Readonly<Record<string, Resource | undefined>> = {
  'anything at all': undefined,
  'their own': { ownerId: ME },
  "another's": { ownerId: SOMEBODY },
  'without an owner': { ownerId: undefined },
  enabled: { enabled: true },
  disabled: { enabled: false },
  'enabled, their own': { enabled: true, ownerId: ME },
  "disabled, another's": { enabled: false, ownerId: SOMEBODY },
};

/** The cases that each reach includes; all others are excluded. */
const INCLUDED: Readonly<Record<Reach, readonly string[]>> = {
  any: Object.keys(RESOURCES),
  own: ['anything at all', 'their own', 'enabled, their own'],
  enabled: ['anything at all', 'enabled', 'enabled, their own'],
  '-': [],
};

function viewerOf(caller: Role | 'system'): Viewer {
  if (caller === 'system') return SYSTEM;
  return { kind: 'user', userId: ME, role: caller, credential: { kind: 'bootstrap' } };
}

function codeOf(run: () => void): string {
  try {
    run();
    return 'ok';
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
}

test("the table has exactly the policy's actions", () => {
  expect(Object.keys(TABLE).sort()).toEqual(Object.keys(POLICY).sort());
});

const rows = Object.entries(TABLE) as [Action, readonly Reach[]][];

describe.each(rows)('%s', (action, reaches) => {
  test.each(CALLERS.map((caller, index) => [caller, reaches[index] ?? '-'] as const))(
    'as %s reaches: %s',
    (caller, reach) => {
      const viewer = viewerOf(caller);
      for (const [name, resource] of Object.entries(RESOURCES)) {
        const isIncluded = INCLUDED[reach].includes(name);
        expect(can(viewer, action, resource), name).toBe(isIncluded);
        expect(
          codeOf(() => assertCan(viewer, action, resource)),
          name,
        ).toBe(isIncluded ? 'ok' : 'FORBIDDEN');
      }
    },
  );

  test('unauthenticated callers can do nothing', () => {
    for (const [name, resource] of Object.entries(RESOURCES)) {
      expect(can(NOBODY, action, resource), name).toBe(false);
      expect(
        codeOf(() => assertCan(NOBODY, action, resource)),
        name,
      ).toBe('UNAUTHENTICATED');
    }
  });
});

test('no user can do what only the gateway itself does, whatever their role', () => {
  const ownDoings = rows.filter(([, reaches]) => reaches[4] === 'any' && reaches[0] === '-').map(([action]) => action);
  expect(ownDoings).not.toEqual([]);
  for (const action of ownDoings) {
    for (const role of ROLES) expect(can(viewerOf(role), action), `${role} ${action}`).toBe(false);
  }
});

test('an action that is not in the policy cannot be asked for', () => {
  const unknown = 'mcpServerConfig.revealSecrets' as Action;
  expect(() => can(viewerOf('admin'), unknown)).toThrow(TypeError);
});
