import type { ConfigImpact } from '../../domain/governance/config-impact.ts';
import type { ServerExplanation } from '../../domain/governance/explain-server.ts';
import type { ServerCheck } from '../../domain/governance/server-check.ts';
import { builder } from '../builder.ts';

const McpServerCheckNameEnum = builder.enumType('McpServerCheckName', {
  description: 'A check on the way to using a server, in the order in which they are made.',
  values: {
    EXISTS: { value: 'exists', description: 'There is such a server, as far as the viewer may know.' },
    VISIBLE: { value: 'visible', description: 'The user may see it.' },
    ENABLED: { value: 'enabled', description: 'It is switched on.' },
    AVAILABILITY: { value: 'availability', description: 'In which chats it is.' },
    SELECTED: { value: 'selected', description: 'It is in the chat.' },
    CONNECTED: { value: 'connected', description: 'The user is connected, where he has to be.' },
    TOOL_ALLOWED: { value: 'tool_allowed', description: 'The tool lists allow the tool.' },
  } as const,
});

const McpServerCheckOutcomeEnum = builder.enumType('McpServerCheckOutcome', {
  description: 'How a check ended.',
  values: {
    PASSED: { value: 'passed', description: 'It is not in the way.' },
    FAILED: { value: 'failed', description: 'It is why the server cannot be used.' },
    SKIPPED: { value: 'skipped', description: 'There was nothing to check.' },
  } as const,
});

const McpServerCheckType = builder.objectRef<ServerCheck>('McpServerCheck').implement({
  description: 'One check, how it ended, and what would change it.',
  fields: (t) => ({
    name: t.expose('name', { type: McpServerCheckNameEnum, description: 'What was checked.' }),
    outcome: t.expose('outcome', { type: McpServerCheckOutcomeEnum, description: 'How it ended.' }),
    reason: t.exposeString('reason', { description: 'The same in words. Text, not HTML.' }),
    remedy: t.exposeString('remedy', { nullable: true, description: 'What somebody can do about a failed check.' }),
  }),
});

/** `McpServerExplanation` */
export const McpServerExplanationType = builder.objectRef<ServerExplanation>('McpServerExplanation').implement({
  description: 'Why a server, or a tool of it, can be used by a user, or not.',
  fields: (t) => ({
    configId: t.expose('configId', { type: 'UUID', description: 'The server that was asked about.' }),
    userId: t.expose('userId', { type: 'UUID', description: 'The user that was asked about.' }),
    available: t.exposeBoolean('available', { description: 'Whether no check failed.' }),
    summary: t.exposeString('summary', { description: 'The first failed check in words, or that all is well.' }),
    checks: t.field({
      type: [McpServerCheckType],
      description: 'All checks, in order.',
      resolve: ({ checks }) => checks,
    }),
  }),
});

/** `McpServerConfigImpact` */
export const McpServerConfigImpactType = builder.objectRef<ConfigImpact>('McpServerConfigImpact').implement({
  description: 'What hangs on a config, and what switching it off or deleting it would do. For admins and auditors.',
  fields: (t) => ({
    configId: t.expose('configId', { type: 'UUID', description: 'The config.' }),
    chatCount: t.exposeInt('chatCount', { description: 'Chats that it was chosen for.' }),
    chatOwnerCount: t.exposeInt('chatOwnerCount', { description: 'Users who have such a chat.' }),
    effectiveChatCount: t.exposeInt('effectiveChatCount', { description: 'Chats that it applies in now.' }),
    connectedUserCount: t.exposeInt('connectedUserCount', { description: 'Users who are connected to it.' }),
    ifDisabled: t.exposeStringList('ifDisabled', { description: 'What switching it off would do.' }),
    ifDeleted: t.exposeStringList('ifDeleted', { description: 'What deleting it would do.' }),
  }),
});
