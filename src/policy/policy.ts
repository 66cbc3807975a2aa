import { forbidden, unauthenticated } from '../errors.ts';
import type { Role, Viewer } from './viewer.ts';

/**
 * The resources a permission covers: `any`, the viewer's `own`, or only `enabled` configs. If absent, none.
 */
type Reach = 'any' | 'own' | 'enabled';

type Grants = Readonly<Partial<Record<Role | 'system', Reach>>>;

const EVERYONE: Grants = { admin: 'any', auditor: 'any', service: 'any', member: 'any' };
const STAFF: Grants = { admin: 'any', auditor: 'any', service: 'any' };
const OVERSIGHT: Grants = { admin: 'any', auditor: 'any' };
const ADMIN: Grants = { admin: 'any' };
const SYSTEM: Grants = { system: 'any' };

/**
 * The permissions of each role. GraphQL's root guard, its field scopes, REST and the repositories all check against
 * this table. Anything not granted here is denied.
 */
export const POLICY = {
  'viewer.read': EVERYONE,

  'mcpServerConfig.list': { ...EVERYONE, ...SYSTEM },
  'mcpServerConfig.read': { ...STAFF, ...SYSTEM, member: 'enabled' },
  'mcpServerConfig.readAdminFields': STAFF,
  'mcpServerConfig.create': ADMIN,
  'mcpServerConfig.update': ADMIN,
  'mcpServerConfig.delete': ADMIN,
  'mcpServerConfig.discoverOAuth': ADMIN,
  'mcpServerConfig.test': ADMIN,
  'mcpServerConfig.openSecrets': SYSTEM,

  'mcpServerTool.list': EVERYONE,
  'mcpServerTool.readAny': { ...STAFF, ...SYSTEM },
  'mcpServerTool.refresh': ADMIN,
  'mcpServerTool.approve': ADMIN,
  'mcpServerTool.call': { admin: 'own', member: 'own' },
  'mcpServerTool.write': SYSTEM,
  'mcpServerUsage.read': STAFF,
  'mcpServerUsage.write': SYSTEM,
  'mcp.use': { admin: 'own', auditor: 'own', service: 'any', member: 'own' },

  'mcpServerConnection.read': { admin: 'any', auditor: 'any', service: 'any', member: 'own' },
  'mcpServerConnection.readAny': { ...STAFF, ...SYSTEM },
  'mcpServerConnection.connect': { admin: 'own', member: 'own' },
  'mcpServerConnection.remove': { admin: 'any', member: 'own' },
  'mcpServerConnection.removeAny': ADMIN,
  'mcpServerConnection.useTokens': SYSTEM,

  'user.list': OVERSIGHT,
  'user.read': { ...STAFF, member: 'own' },
  'user.create': ADMIN,
  'user.update': { ...ADMIN, ...SYSTEM },
  'user.delete': ADMIN,

  'apiToken.list': { ...OVERSIGHT, service: 'own', member: 'own' },
  'apiToken.create': { admin: 'any', auditor: 'own', service: 'own', member: 'own' },
  'apiToken.revoke': { admin: 'any', auditor: 'own', service: 'own', member: 'own' },

  'session.list': { ...OVERSIGHT, service: 'own', member: 'own' },
  'session.end': { admin: 'any', auditor: 'own', service: 'own', member: 'own' },

  'encryptionKey.list': { ...OVERSIGHT, ...SYSTEM },
  'encryptionKey.manage': { ...ADMIN, ...SYSTEM },

  'gatewayStatus.read': OVERSIGHT,

  'auditLog.read': OVERSIGHT,
  'auditLog.append': SYSTEM,
  'auditLog.verify': { ...OVERSIGHT, ...SYSTEM },
  'auditLog.expire': SYSTEM,

  'feed.read': SYSTEM,
  'feed.expire': SYSTEM,
  'feed.subscribe': EVERYONE,

  'chat.create': { admin: 'own', member: 'own' },
  'chat.write': { admin: 'own', member: 'own' },
  'chat.delete': { admin: 'own', member: 'own' },
  'chat.list': { admin: 'own', auditor: 'own', service: 'own', member: 'own' },
  'chat.read': { admin: 'own', auditor: 'own', service: 'any', member: 'own', ...SYSTEM },
  'mcpServer.explain': { ...STAFF, member: 'own' },
  'mcpServerConfig.readImpact': OVERSIGHT,
  'mcpServerConfig.import': ADMIN,
  'mcpServerConfig.export': OVERSIGHT,

  'credential.verify': SYSTEM,
  'session.create': SYSTEM,
  'signInLink.create': { ...ADMIN, ...SYSTEM },
  'user.provision': SYSTEM,
} as const satisfies Record<string, Grants>;

/** A permission that can be granted. */
export type Action = keyof typeof POLICY;

/** The attributes of a resource that grants depend on. */
export interface Resource {
  ownerId?: string | undefined;
  enabled?: boolean | undefined;
}

/**
 * Whether the viewer may perform the action on the resource. Without a resource: whether they may perform it on any.
 */
export function can(viewer: Viewer, action: Action, resource?: Resource): boolean {
  const grants: Grants = POLICY[action];
  if (viewer.kind === 'nobody') return false;
  const reach = viewer.kind === 'system' ? grants.system : grants[viewer.role];
  if (reach === undefined) return false;
  if (reach === 'any' || resource === undefined) return true;
  if (reach === 'enabled') return resource.enabled === true;
  return viewer.kind === 'user' && resource.ownerId === viewer.userId;
}

/** The names of everything that a role may do, if only with what is their own or enabled. Sorted. */
export function listActions(role: Role): Action[] {
  return (Object.keys(POLICY) as Action[]).filter((action) => role in POLICY[action]).sort();
}

/** @throws UNAUTHENTICATED if nobody is signed in, FORBIDDEN if the viewer is not allowed */
export function assertCan(viewer: Viewer, action: Action, resource?: Resource): void {
  if (viewer.kind === 'nobody') throw unauthenticated();
  if (!can(viewer, action, resource)) throw forbidden();
}
