/* eslint-disable */
import * as types from './graphql.ts';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  mutation CreateConfig($input: CreateMcpServerConfigInput!) {\n    createMcpServerConfig(input: $input) {\n      id\n      slug\n      displayName\n      url\n      authType\n      availability\n      enabled\n      version\n      hasOAuth2Secret\n      hasApiKey\n      hasCustomHeaders\n    }\n  }\n": typeof types.CreateConfigDocument,
    "\n  mutation UpdateConfig($id: UUID!, $patch: UpdateMcpServerConfigInput!, $expectedVersion: Int) {\n    updateMcpServerConfig(id: $id, patch: $patch, expectedVersion: $expectedVersion) {\n      id\n      slug\n      displayName\n      url\n      authType\n      enabled\n      version\n      hasOAuth2Secret\n      hasApiKey\n      hasCustomHeaders\n    }\n  }\n": typeof types.UpdateConfigDocument,
    "\n  mutation DeleteConfig($id: UUID!) {\n    deleteMcpServerConfig(id: $id) {\n      deletedId\n    }\n  }\n": typeof types.DeleteConfigDocument,
    "\n  query ListConfigs($first: Int, $after: String, $filter: McpServerConfigFilter) {\n    mcpServerConfigs(first: $first, after: $after, filter: $filter) {\n      totalCount\n      nodes {\n        id\n        slug\n        displayName\n        url\n        enabled\n        authConnected\n        viewerState\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n": typeof types.ListConfigsDocument,
    "\n  mutation CreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      id\n      email\n      role\n      status\n    }\n  }\n": typeof types.CreateUserDocument,
    "\n  mutation UpdateUser($id: UUID!, $patch: UpdateUserInput!) {\n    updateUser(id: $id, patch: $patch) {\n      id\n      role\n      status\n    }\n  }\n": typeof types.UpdateUserDocument,
    "\n  mutation CreateApiToken($input: CreateApiTokenInput!) {\n    createApiToken(input: $input) {\n      token\n      apiToken {\n        id\n      }\n    }\n  }\n": typeof types.CreateApiTokenDocument,
};
const documents: Documents = {
    "\n  mutation CreateConfig($input: CreateMcpServerConfigInput!) {\n    createMcpServerConfig(input: $input) {\n      id\n      slug\n      displayName\n      url\n      authType\n      availability\n      enabled\n      version\n      hasOAuth2Secret\n      hasApiKey\n      hasCustomHeaders\n    }\n  }\n": types.CreateConfigDocument,
    "\n  mutation UpdateConfig($id: UUID!, $patch: UpdateMcpServerConfigInput!, $expectedVersion: Int) {\n    updateMcpServerConfig(id: $id, patch: $patch, expectedVersion: $expectedVersion) {\n      id\n      slug\n      displayName\n      url\n      authType\n      enabled\n      version\n      hasOAuth2Secret\n      hasApiKey\n      hasCustomHeaders\n    }\n  }\n": types.UpdateConfigDocument,
    "\n  mutation DeleteConfig($id: UUID!) {\n    deleteMcpServerConfig(id: $id) {\n      deletedId\n    }\n  }\n": types.DeleteConfigDocument,
    "\n  query ListConfigs($first: Int, $after: String, $filter: McpServerConfigFilter) {\n    mcpServerConfigs(first: $first, after: $after, filter: $filter) {\n      totalCount\n      nodes {\n        id\n        slug\n        displayName\n        url\n        enabled\n        authConnected\n        viewerState\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n": types.ListConfigsDocument,
    "\n  mutation CreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      id\n      email\n      role\n      status\n    }\n  }\n": types.CreateUserDocument,
    "\n  mutation UpdateUser($id: UUID!, $patch: UpdateUserInput!) {\n    updateUser(id: $id, patch: $patch) {\n      id\n      role\n      status\n    }\n  }\n": types.UpdateUserDocument,
    "\n  mutation CreateApiToken($input: CreateApiTokenInput!) {\n    createApiToken(input: $input) {\n      token\n      apiToken {\n        id\n      }\n    }\n  }\n": types.CreateApiTokenDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateConfig($input: CreateMcpServerConfigInput!) {\n    createMcpServerConfig(input: $input) {\n      id\n      slug\n      displayName\n      url\n      authType\n      availability\n      enabled\n      version\n      hasOAuth2Secret\n      hasApiKey\n      hasCustomHeaders\n    }\n  }\n"): (typeof documents)["\n  mutation CreateConfig($input: CreateMcpServerConfigInput!) {\n    createMcpServerConfig(input: $input) {\n      id\n      slug\n      displayName\n      url\n      authType\n      availability\n      enabled\n      version\n      hasOAuth2Secret\n      hasApiKey\n      hasCustomHeaders\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateConfig($id: UUID!, $patch: UpdateMcpServerConfigInput!, $expectedVersion: Int) {\n    updateMcpServerConfig(id: $id, patch: $patch, expectedVersion: $expectedVersion) {\n      id\n      slug\n      displayName\n      url\n      authType\n      enabled\n      version\n      hasOAuth2Secret\n      hasApiKey\n      hasCustomHeaders\n    }\n  }\n"): (typeof documents)["\n  mutation UpdateConfig($id: UUID!, $patch: UpdateMcpServerConfigInput!, $expectedVersion: Int) {\n    updateMcpServerConfig(id: $id, patch: $patch, expectedVersion: $expectedVersion) {\n      id\n      slug\n      displayName\n      url\n      authType\n      enabled\n      version\n      hasOAuth2Secret\n      hasApiKey\n      hasCustomHeaders\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteConfig($id: UUID!) {\n    deleteMcpServerConfig(id: $id) {\n      deletedId\n    }\n  }\n"): (typeof documents)["\n  mutation DeleteConfig($id: UUID!) {\n    deleteMcpServerConfig(id: $id) {\n      deletedId\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ListConfigs($first: Int, $after: String, $filter: McpServerConfigFilter) {\n    mcpServerConfigs(first: $first, after: $after, filter: $filter) {\n      totalCount\n      nodes {\n        id\n        slug\n        displayName\n        url\n        enabled\n        authConnected\n        viewerState\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n"): (typeof documents)["\n  query ListConfigs($first: Int, $after: String, $filter: McpServerConfigFilter) {\n    mcpServerConfigs(first: $first, after: $after, filter: $filter) {\n      totalCount\n      nodes {\n        id\n        slug\n        displayName\n        url\n        enabled\n        authConnected\n        viewerState\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      id\n      email\n      role\n      status\n    }\n  }\n"): (typeof documents)["\n  mutation CreateUser($input: CreateUserInput!) {\n    createUser(input: $input) {\n      id\n      email\n      role\n      status\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation UpdateUser($id: UUID!, $patch: UpdateUserInput!) {\n    updateUser(id: $id, patch: $patch) {\n      id\n      role\n      status\n    }\n  }\n"): (typeof documents)["\n  mutation UpdateUser($id: UUID!, $patch: UpdateUserInput!) {\n    updateUser(id: $id, patch: $patch) {\n      id\n      role\n      status\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateApiToken($input: CreateApiTokenInput!) {\n    createApiToken(input: $input) {\n      token\n      apiToken {\n        id\n      }\n    }\n  }\n"): (typeof documents)["\n  mutation CreateApiToken($input: CreateApiTokenInput!) {\n    createApiToken(input: $input) {\n      token\n      apiToken {\n        id\n      }\n    }\n  }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;