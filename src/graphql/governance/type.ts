import type { ConfigImpact } from '../../domain/governance/config-impact.ts';
import type { ServerExplanation } from '../../domain/governance/explain-server.ts';
import type { ServerCheck } from '../../domain/governance/server-check.ts';
import { builder } from '../builder.ts';
import { McpToolListWarningType } from '../mcp-tool/list-warning.ts';

const McpServerCheckNameEnum = builder.enumType('McpServerCheckName', {
  description:
    'A check that decides whether a server can be used. The gateway runs them in this order: EXISTS, VISIBLE, ENABLED, AVAILABILITY, SELECTED, REACHABLE, CONNECTED, TOOL_KNOWN, TOOL_ALLOWED, TOOL_APPROVED.',
  values: {
    EXISTS: { value: 'exists', description: 'The server exists and the viewer may know of it.' },
    VISIBLE: { value: 'visible', description: 'The user may see the server.' },
    ENABLED: { value: 'enabled', description: 'The server is enabled.' },
    AVAILABILITY: { value: 'availability', description: 'Which chats the server applies in.' },
    SELECTED: { value: 'selected', description: 'The server is selected for the chat.' },
    REACHABLE: { value: 'reachable', description: 'The server answered when it was last called.' },
    CONNECTED: { value: 'connected', description: 'The user has connected their account, if the server requires it.' },
    TOOL_KNOWN: { value: 'tool_known', description: 'The server lists the tool.' },
    TOOL_ALLOWED: { value: 'tool_allowed', description: 'The allow and deny lists permit the tool.' },
    TOOL_APPROVED: {
      value: 'tool_approved',
      description: 'An admin approved the tool as it is, if the config pins its tools.',
    },
  } as const,
});

const McpServerCheckOutcomeEnum = builder.enumType('McpServerCheckOutcome', {
  description: 'The outcome of a check.',
  values: {
    PASSED: { value: 'passed', description: 'The check passed.' },
    FAILED: { value: 'failed', description: 'The check failed, so the server or tool cannot be used.' },
    SKIPPED: { value: 'skipped', description: 'There was nothing to check for this question.' },
  } as const,
});

const McpServerCheckType = builder.objectRef<ServerCheck>('McpServerCheck').implement({
  description: 'One check, its outcome, and how to fix a failure.',
  fields: (t) => ({
    name: t.expose('name', { type: McpServerCheckNameEnum, description: 'Which check this is.' }),
    outcome: t.expose('outcome', { type: McpServerCheckOutcomeEnum, description: 'The outcome of the check.' }),
    reason: t.exposeString('reason', { description: 'The outcome as a sentence. Plain text, not HTML.' }),
    remedy: t.exposeString('remedy', {
      nullable: true,
      description: 'How to fix a failed check; null if there is nothing to fix.',
    }),
  }),
});

/** `McpServerExplanation` */
export const McpServerExplanationType = builder.objectRef<ServerExplanation>('McpServerExplanation').implement({
  description: 'Why a user can or cannot use a server or one of its tools.',
  fields: (t) => ({
    configId: t.expose('configId', { type: 'UUID', description: 'Id of the server in question.' }),
    userId: t.expose('userId', { type: 'UUID', description: 'Id of the user in question.' }),
    available: t.exposeBoolean('available', { description: 'Whether the user can use it, that is, no check failed.' }),
    summary: t.exposeString('summary', {
      description: 'The first failed check as a sentence, or a sentence that everything is fine.',
    }),
    checks: t.field({
      type: [McpServerCheckType],
      description: 'All checks, in the order they were made.',
      resolve: ({ checks }) => checks,
    }),
    toolListWarnings: t.expose('toolListWarnings', {
      type: [McpToolListWarningType],
      nullable: true,
      description:
        "The names on the server's allow and deny lists that it does not list as tools. For admins, auditors and services; null for members.",
    }),
  }),
});

/** `McpServerConfigImpact` */
export const McpServerConfigImpactType = builder.objectRef<ConfigImpact>('McpServerConfigImpact').implement({
  description: 'Who uses a config, and what disabling or deleting it would do. For admins and auditors.',
  fields: (t) => ({
    configId: t.expose('configId', { type: 'UUID', description: 'Id of the config.' }),
    chatCount: t.exposeInt('chatCount', { description: 'Number of chats in which the server is selected.' }),
    chatOwnerCount: t.exposeInt('chatOwnerCount', { description: 'Number of users who own such a chat.' }),
    effectiveChatCount: t.exposeInt('effectiveChatCount', {
      description: 'Number of chats in which the server applies now.',
    }),
    connectedUserCount: t.exposeInt('connectedUserCount', {
      description: 'Number of users who are connected to the server.',
    }),
    ifDisabled: t.exposeStringList('ifDisabled', { description: 'The effects of disabling it, one sentence each.' }),
    ifDeleted: t.exposeStringList('ifDeleted', { description: 'The effects of deleting it, one sentence each.' }),
  }),
});
