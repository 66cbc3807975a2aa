import type { GraphQLSchema } from 'graphql';
import './mcp-server-config/queries.ts';
import './mcp-server-config/mutations.ts';
import './mcp-tool/queries.ts';
import './mcp-tool/mutations.ts';
import './oauth-discovery/queries.ts';
import './oauth-discovery/mutations.ts';
import './server-test/mutations.ts';
import './chat/queries.ts';
import './chat/mutations.ts';
import './gateway-status/queries.ts';
import './governance/queries.ts';
import './server-transfer/queries.ts';
import './server-transfer/mutations.ts';
import './audit-log/queries.ts';
import './audit-log/mutations.ts';
import './config-event/subscriptions.ts';
import './user/queries.ts';
import './user/mutations.ts';
import './connection/type.ts';
import './api-token/queries.ts';
import './api-token/mutations.ts';
import './session/mutations.ts';
import './encryption-key/queries.ts';
import './encryption-key/mutations.ts';
import { builder } from './builder.ts';
import { addFormerFields } from './mutation-shape/former-fields.ts';

/** Builds the schema. Importing a type's folder adds its types to the builder. */
export function buildSchema(): GraphQLSchema {
  return addFormerFields(builder.toSchema());
}
