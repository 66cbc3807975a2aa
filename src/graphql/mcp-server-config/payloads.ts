import type { McpServerConfigRecord } from '../../data/records.ts';
import type { RestoredConfig } from '../../domain/configs/config-restore.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { formerResult } from '../mutation-shape/former-fields.ts';
import { McpServerConfigType } from './type.ts';

/** `CreateMcpServerConfigPayload` */
export const CreateMcpServerConfigPayload = builder
  .objectRef<{ mcpServerConfig: McpServerConfigRecord }>('CreateMcpServerConfigPayload')
  .implement({
    description: 'The defined server.',
    fields: (t) => ({
      mcpServerConfig: t.expose('mcpServerConfig', {
        type: McpServerConfigType,
        description: 'The new config.',
        ...formerResult,
      }),
    }),
  });

/** `UpdateMcpServerConfigPayload` */
export const UpdateMcpServerConfigPayload = builder
  .objectRef<{ mcpServerConfig: McpServerConfigRecord }>('UpdateMcpServerConfigPayload')
  .implement({
    description: 'The changed server.',
    fields: (t) => ({
      mcpServerConfig: t.expose('mcpServerConfig', {
        type: McpServerConfigType,
        description: 'The config after the change.',
        ...formerResult,
      }),
    }),
  });

/** `RestoreMcpServerConfigVersionPayload` */
export const RestoreMcpServerConfigVersionPayload = builder
  .objectRef<RestoredConfig>('RestoreMcpServerConfigVersionPayload')
  .implement({
    description: 'The restored server.',
    fields: (t) => ({
      mcpServerConfig: t.field({
        type: McpServerConfigType,
        description: 'The config after the change.',
        resolve: ({ config }) => config,
      }),
      unrestoredSecrets: t.exposeStringList('unrestoredSecrets', {
        description:
          'Names of the secrets that changed since that version, such as `apiKeyValue`. They stay as they are now.',
      }),
    }),
  });

/** `DeleteMcpServerConfigPayload` */
export const DeleteMcpServerConfigPayload = builder.simpleObject('DeleteMcpServerConfigPayload', {
  description: 'Result of a deletion.',
  fields: (t) => ({ deletedId: t.field({ type: 'UUID', description: 'Id of the deleted config.' }) }),
});

/** What a payload about connections to a config knows of it. */
interface OfConfig {
  configId: string;
}

const findConfig = ({ configId }: OfConfig, _args: object, { viewer, services }: GraphQLContext) =>
  services.configs.find(viewer, { id: configId });

/** `DisconnectMcpServerPayload` */
export const DisconnectMcpServerPayload = builder
  .objectRef<OfConfig & { tokenRevoked: boolean; revocationError: string | null }>('DisconnectMcpServerPayload')
  .implement({
    description: 'Whether the authorization server revoked the tokens. The gateway deletes its own copies in any case.',
    fields: (t) => ({
      tokenRevoked: t.exposeBoolean('tokenRevoked', {
        description: 'Whether the authorization server confirmed the revocation.',
      }),
      revocationError: t.exposeString('revocationError', {
        nullable: true,
        description: 'Why it did not confirm; null if it did, or if there was nothing to revoke.',
      }),
      mcpServerConfig: t.field({
        type: McpServerConfigType,
        nullable: true,
        description: 'The config; null if it does not exist or is hidden from the viewer.',
        resolve: findConfig,
      }),
    }),
  });

/** `RemoveMcpServerUserTokensPayload` */
export const RemoveMcpServerUserTokensPayload = builder
  .objectRef<OfConfig & { removedCount: number }>('RemoveMcpServerUserTokensPayload')
  .implement({
    description: 'Result of removing tokens.',
    fields: (t) => ({
      removedCount: t.exposeInt('removedCount', { description: 'Number of users who were disconnected.' }),
      mcpServerConfig: t.field({
        type: McpServerConfigType,
        nullable: true,
        description: 'The config; null if it was deleted in the meantime.',
        resolve: findConfig,
      }),
    }),
  });
