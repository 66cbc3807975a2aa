import type { ServerUsage, UsagePeriod } from '../../domain/tool-calls/call-usage.ts';
import { builder, visibleWith } from '../builder.ts';
import { McpServerConfigType } from './type.ts';

const PERCENTILE = 'at most 16% off, as durations are counted in steps. Null without calls.';

const McpServerUsagePeriodType = builder.objectRef<UsagePeriod>('McpServerUsagePeriod').implement({
  description: 'How the tools of a server were called within some time, through doors and by `callMcpTool`.',
  fields: (t) => ({
    calls: t.exposeInt('calls', { description: 'Calls of its tools, without those that were denied.' }),
    errors: t.exposeInt('errors', {
      description: 'Those of them that failed, or of which the tool itself said that it failed.',
    }),
    denied: t.exposeInt('denied', {
      description: 'Calls that the gateway did not pass on, such as those of tools that an admin has switched off.',
    }),
    users: t.exposeInt('users', { description: 'Different users as whom it was called.' }),
    p50Ms: t.exposeInt('p50Ms', {
      nullable: true,
      description: `How many milliseconds the faster half of the calls took at most: ${PERCENTILE}`,
    }),
    p95Ms: t.exposeInt('p95Ms', {
      nullable: true,
      description: `How many milliseconds 95% of the calls took at most: ${PERCENTILE}`,
    }),
  }),
});

const McpServerUsageType = builder.objectRef<ServerUsage>('McpServerUsage').implement({
  description: 'How the tools of a server were called lately, in all processes together. Counted by the hour.',
  fields: (t) => ({
    lastDay: t.expose('lastDay', {
      type: McpServerUsagePeriodType,
      description: 'The present hour, and the 23 before.',
    }),
    lastWeek: t.expose('lastWeek', {
      type: McpServerUsagePeriodType,
      description: 'The present hour, and the 167 before.',
    }),
  }),
});

builder.objectFields(McpServerConfigType, (t) => ({
  usage: t.field({
    type: McpServerUsageType,
    ...visibleWith('mcpServerUsage.read'),
    description:
      'How often its tools were called, by how many users, and how long that took. Other processes add what they count every few seconds. For admins, auditors and services; null for members.',
    resolve: async (config, _args, { loaders }) => (await loaders.usage.load(config.id)) ?? null,
  }),
}));
