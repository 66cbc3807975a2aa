import type { Store } from '../../data/store.ts';
import { notFound } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';

/** What depends on a config. */
export interface ConfigImpact {
  configId: string;
  /** The number of chats that have selected it. */
  chatCount: number;
  /** The number of users who own such a chat. */
  chatOwnerCount: number;
  /** The number of chats where it applies now. All chats when it is forced on. */
  effectiveChatCount: number;
  connectedUserCount: number;
  /** The effects, one sentence each. */
  ifDisabled: string[];
  ifDeleted: string[];
}

/** Creates the service. */
export function createConfigImpacts({ store, experiments }: { store: Store; experiments: ReadonlySet<Experiment> }) {
  return {
    /** @throws FORBIDDEN, NOT_FOUND */
    async find(viewer: Viewer, configId: string): Promise<ConfigImpact> {
      assertCan(viewer, 'mcpServerConfig.readImpact');
      assertExperiment(experiments, 'agents');
      const config = await store.configs.findById(viewer, { id: configId });
      if (config === null) throw notFound('MCP server config');
      const { chatCount, ownerCount } = await store.chats.countUses(viewer, { configId });
      const isForced = config.availability === 'force_on';
      const inChats = isForced ? await store.chats.countAll(viewer, undefined) : chatCount;
      const effectiveChatCount = config.enabled ? inChats : 0;
      const counts = await store.connections.countByConfig(viewer, { configIds: [configId] });
      const connectedUserCount = counts.get(configId) ?? 0;
      const leaves = config.enabled
        ? `It is removed from ${countOf(effectiveChatCount, 'chat')} immediately; members no longer see it.`
        : 'It is already disabled, so nobody uses it.';
      return {
        configId,
        chatCount,
        chatOwnerCount: ownerCount,
        effectiveChatCount,
        connectedUserCount,
        ifDisabled: [
          leaves,
          `${countOf(connectedUserCount, 'connection')} and the selection in ${countOf(chatCount, 'chat')} are kept for when it is enabled again.`,
        ],
        ifDeleted: [
          leaves,
          `${countOf(connectedUserCount, 'connection')} end: the tokens are removed, and revoked where possible.`,
          `The selection in ${countOf(chatCount, 'chat')} of ${countOf(ownerCount, 'user')} is deleted.`,
          'Its secrets are permanently deleted.',
        ],
      };
    },
  };
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
