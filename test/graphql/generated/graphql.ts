/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** A new API token. */
export type CreateApiTokenInput = {
  /** When it ends; never, when absent. */
  expiresAt?: string | null | undefined;
  /** A name to know it by, 1 to 120 characters. */
  name: string;
  /** Whose it is: it may what he may. */
  userId: string;
};

/** A new MCP server. */
export type CreateMcpServerConfigInput = {
  /** Header that carries the API key. */
  apiKeyHeader?: string | null | undefined;
  /** The header's whole value. Written, never read back. */
  apiKeyValue?: string | null | undefined;
  /** Default: NONE. A change clears what belongs to the old type and ends all connections. */
  authType?: McpAuthType | null | undefined;
  /** Default: DEFAULT_OFF. */
  availability?: McpAvailability | null | undefined;
  /** All custom headers: what is given is the new whole. Written, never read back. */
  customHeaders?: Array<HttpHeaderInput> | null | undefined;
  /** At most 4,000 characters. */
  description?: string | null | undefined;
  /** Name for people, 1 to 120 characters. */
  displayName: string;
  /** Default: false. */
  enabled?: boolean | null | undefined;
  /** Picture to show beside the name. */
  iconUrl?: string | null | undefined;
  /** OAuth 2 authorization endpoint. */
  oauth2AuthUrl?: string | null | undefined;
  /** OAuth 2 client id. Give it with both URLs, or none of the three: then they are discovered. */
  oauth2ClientId?: string | null | undefined;
  /** OAuth 2 client secret. Written, never read back. */
  oauth2ClientSecret?: string | null | undefined;
  /** Issuer identifier (RFC 8414). */
  oauth2Issuer?: string | null | undefined;
  /** Default: AUTO. OMIT for authorization servers that refuse the parameter. */
  oauth2ResourceMode?: McpOAuth2ResourceMode | null | undefined;
  /** OAuth 2 revocation endpoint (RFC 7009). */
  oauth2RevocationUrl?: string | null | undefined;
  /** Scopes to ask for. */
  oauth2Scopes?: Array<string> | null | undefined;
  /** OAuth 2 token endpoint. */
  oauth2TokenUrl?: string | null | undefined;
  /** Unique: 1 to 64 of a-z, 0-9 and single "-". */
  slug: string;
  /** Unless empty, only these tools may be used. */
  toolAllowList?: Array<string> | null | undefined;
  /** These tools may not be used. */
  toolDenyList?: Array<string> | null | undefined;
  /** Default: STREAMABLE_HTTP. */
  transport?: McpTransport | null | undefined;
  /** Where the server is: https (http for loopback and allowed private hosts). */
  url: string;
};

/** A new user. */
export type CreateUserInput = {
  /** Address; unique without regard to case. */
  email: string;
  /** Default: MEMBER. */
  role?: Role | null | undefined;
  /** Default: ACTIVE. */
  status?: UserStatus | null | undefined;
};

/** An HTTP header. */
export type HttpHeaderInput = {
  /** Name: an RFC 9110 token, none that HTTP or MCP sets itself. */
  name: string;
  /** Value, kept secret. No line breaks. */
  value: string;
};

/** What credentials a server gets. */
export type McpAuthType =
  /** One API key for all users, in one header. */
  | 'API_KEY'
  /** The same headers for all users. */
  | 'CUSTOM_HEADERS'
  /** None. */
  | 'NONE'
  /** Each user's own OAuth 2 token: every user connects his account. */
  | 'OAUTH2';

/** In which chats a server is. */
export type McpAvailability =
  /** In a chat only when it is chosen. */
  | 'DEFAULT_OFF'
  /** In a new chat unless it is left out. */
  | 'DEFAULT_ON'
  /** In every chat; it cannot be left out. */
  | 'FORCE_ON';

/** Whether the authorization server is told which server a token is for (RFC 8707). */
export type McpOAuth2ResourceMode =
  /** Yes, unless the authorization server is known to refuse it. */
  | 'AUTO'
  /** Yes. */
  | 'INCLUDE'
  /** No. */
  | 'OMIT';

/** Which configs to list; all conditions must hold. */
export type McpServerConfigFilter = {
  /** Only this auth type. */
  authType?: McpAuthType | null | undefined;
  /** Only this availability. */
  availability?: McpAvailability | null | undefined;
  /** Only enabled ones, or only disabled ones. */
  enabled?: boolean | null | undefined;
  /** Part of the display name or slug, in any case. */
  search?: string | null | undefined;
};

/** How a server stands for a user. */
export type McpServerState =
  /** An admin has it switched off. */
  | 'DISABLED'
  /** The user has to connect his account first. */
  | 'NEEDS_CONNECT'
  /** It can be used. */
  | 'READY'
  /** The connection ended; the user has to connect again. */
  | 'RECONNECT'
  /** A stored secret of it cannot be opened; an admin has to set it again. */
  | 'UNAVAILABLE';

/** How the gateway talks to a server (Model Context Protocol, "Transports"). */
export type McpTransport =
  /** HTTP with server-sent events, the transport before 2025-03-26. */
  | 'SSE'
  /** Streamable HTTP, the current transport. */
  | 'STREAMABLE_HTTP';

/** What a user may do. */
export type Role =
  /** Everything. */
  | 'ADMIN'
  /** Reads everything but secrets, changes nothing. */
  | 'AUDITOR'
  /** Sees enabled servers and manages his own chats and connections. */
  | 'MEMBER'
  /** A program that acts for users, such as the chat daemon; changes nothing. */
  | 'SERVICE';

/** Changes to an MCP server: an absent field stays, null or "" clears what can be empty. */
export type UpdateMcpServerConfigInput = {
  /** Header that carries the API key. */
  apiKeyHeader?: string | null | undefined;
  /** The header's whole value. Written, never read back. */
  apiKeyValue?: string | null | undefined;
  /** Default: NONE. A change clears what belongs to the old type and ends all connections. */
  authType?: McpAuthType | null | undefined;
  /** Default: DEFAULT_OFF. */
  availability?: McpAvailability | null | undefined;
  /** All custom headers: what is given is the new whole. Written, never read back. */
  customHeaders?: Array<HttpHeaderInput> | null | undefined;
  /** At most 4,000 characters. */
  description?: string | null | undefined;
  /** Name for people, 1 to 120 characters. */
  displayName?: string | null | undefined;
  /** Default: false. */
  enabled?: boolean | null | undefined;
  /** Picture to show beside the name. */
  iconUrl?: string | null | undefined;
  /** OAuth 2 authorization endpoint. */
  oauth2AuthUrl?: string | null | undefined;
  /** OAuth 2 client id. Give it with both URLs, or none of the three: then they are discovered. */
  oauth2ClientId?: string | null | undefined;
  /** OAuth 2 client secret. Written, never read back. */
  oauth2ClientSecret?: string | null | undefined;
  /** Issuer identifier (RFC 8414). */
  oauth2Issuer?: string | null | undefined;
  /** Default: AUTO. OMIT for authorization servers that refuse the parameter. */
  oauth2ResourceMode?: McpOAuth2ResourceMode | null | undefined;
  /** OAuth 2 revocation endpoint (RFC 7009). */
  oauth2RevocationUrl?: string | null | undefined;
  /** Scopes to ask for. */
  oauth2Scopes?: Array<string> | null | undefined;
  /** OAuth 2 token endpoint. */
  oauth2TokenUrl?: string | null | undefined;
  /** Unique: 1 to 64 of a-z, 0-9 and single "-". */
  slug?: string | null | undefined;
  /** Unless empty, only these tools may be used. */
  toolAllowList?: Array<string> | null | undefined;
  /** These tools may not be used. */
  toolDenyList?: Array<string> | null | undefined;
  /** Default: STREAMABLE_HTTP. */
  transport?: McpTransport | null | undefined;
  /** Where the server is: https (http for loopback and allowed private hosts). A change of its origin ends all connections and needs the secrets again. */
  url?: string | null | undefined;
};

/** Changes to a user: an absent field stays. */
export type UpdateUserInput = {
  /** Address; unique without regard to case. */
  email?: string | null | undefined;
  /** What the user may do. */
  role?: Role | null | undefined;
  /** SUSPENDED makes him nobody at once. */
  status?: UserStatus | null | undefined;
};

/** Whether a user may come in. */
export type UserStatus =
  /** He may. */
  | 'ACTIVE'
  /** He is nobody, whatever credentials he holds. */
  | 'SUSPENDED';

export type CreateConfigMutationVariables = Exact<{
  input: CreateMcpServerConfigInput;
}>;


export type CreateConfigMutation = { createMcpServerConfig: { id: string, slug: string, displayName: string, url: string | null, authType: McpAuthType, availability: McpAvailability, enabled: boolean, version: number, hasOAuth2Secret: boolean, hasApiKey: boolean, hasCustomHeaders: boolean } };

export type UpdateConfigMutationVariables = Exact<{
  id: string;
  patch: UpdateMcpServerConfigInput;
  expectedVersion?: number | null | undefined;
}>;


export type UpdateConfigMutation = { updateMcpServerConfig: { id: string, slug: string, displayName: string, url: string | null, authType: McpAuthType, enabled: boolean, version: number, hasOAuth2Secret: boolean, hasApiKey: boolean, hasCustomHeaders: boolean } };

export type DeleteConfigMutationVariables = Exact<{
  id: string;
}>;


export type DeleteConfigMutation = { deleteMcpServerConfig: { deletedId: string } };

export type ListConfigsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: McpServerConfigFilter | null | undefined;
}>;


export type ListConfigsQuery = { mcpServerConfigs: { totalCount: number, nodes: Array<{ id: string, slug: string, displayName: string, url: string | null, enabled: boolean, authConnected: boolean, viewerState: McpServerState }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CreateUserMutationVariables = Exact<{
  input: CreateUserInput;
}>;


export type CreateUserMutation = { createUser: { id: string, email: string, role: Role, status: UserStatus } };

export type UpdateUserMutationVariables = Exact<{
  id: string;
  patch: UpdateUserInput;
}>;


export type UpdateUserMutation = { updateUser: { id: string, role: Role, status: UserStatus } };

export type CreateApiTokenMutationVariables = Exact<{
  input: CreateApiTokenInput;
}>;


export type CreateApiTokenMutation = { createApiToken: { token: string, apiToken: { id: string } } };


export const CreateConfigDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateConfig"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"CreateMcpServerConfigInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createMcpServerConfig"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"slug"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"authType"}},{"kind":"Field","name":{"kind":"Name","value":"availability"}},{"kind":"Field","name":{"kind":"Name","value":"enabled"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"hasOAuth2Secret"}},{"kind":"Field","name":{"kind":"Name","value":"hasApiKey"}},{"kind":"Field","name":{"kind":"Name","value":"hasCustomHeaders"}}]}}]}}]} as unknown as DocumentNode<CreateConfigMutation, CreateConfigMutationVariables>;
export const UpdateConfigDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"UpdateConfig"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UUID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"patch"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UpdateMcpServerConfigInput"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"expectedVersion"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"updateMcpServerConfig"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"patch"},"value":{"kind":"Variable","name":{"kind":"Name","value":"patch"}}},{"kind":"Argument","name":{"kind":"Name","value":"expectedVersion"},"value":{"kind":"Variable","name":{"kind":"Name","value":"expectedVersion"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"slug"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"authType"}},{"kind":"Field","name":{"kind":"Name","value":"enabled"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"hasOAuth2Secret"}},{"kind":"Field","name":{"kind":"Name","value":"hasApiKey"}},{"kind":"Field","name":{"kind":"Name","value":"hasCustomHeaders"}}]}}]}}]} as unknown as DocumentNode<UpdateConfigMutation, UpdateConfigMutationVariables>;
export const DeleteConfigDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"DeleteConfig"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UUID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deleteMcpServerConfig"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deletedId"}}]}}]}}]} as unknown as DocumentNode<DeleteConfigMutation, DeleteConfigMutationVariables>;
export const ListConfigsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ListConfigs"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"McpServerConfigFilter"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"mcpServerConfigs"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"totalCount"}},{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"slug"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"enabled"}},{"kind":"Field","name":{"kind":"Name","value":"authConnected"}},{"kind":"Field","name":{"kind":"Name","value":"viewerState"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}}]} as unknown as DocumentNode<ListConfigsQuery, ListConfigsQueryVariables>;
export const CreateUserDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateUser"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"CreateUserInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createUser"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"email"}},{"kind":"Field","name":{"kind":"Name","value":"role"}},{"kind":"Field","name":{"kind":"Name","value":"status"}}]}}]}}]} as unknown as DocumentNode<CreateUserMutation, CreateUserMutationVariables>;
export const UpdateUserDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"UpdateUser"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UUID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"patch"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UpdateUserInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"updateUser"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"patch"},"value":{"kind":"Variable","name":{"kind":"Name","value":"patch"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"role"}},{"kind":"Field","name":{"kind":"Name","value":"status"}}]}}]}}]} as unknown as DocumentNode<UpdateUserMutation, UpdateUserMutationVariables>;
export const CreateApiTokenDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateApiToken"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"CreateApiTokenInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createApiToken"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"token"}},{"kind":"Field","name":{"kind":"Name","value":"apiToken"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}}]}}]} as unknown as DocumentNode<CreateApiTokenMutation, CreateApiTokenMutationVariables>;