import { graphql } from '../graphql/generated/gql.ts';

// Operations that many tests use, typed by the schema.

export const CreateConfig = graphql(`
  mutation CreateConfig($input: CreateMcpServerConfigInput!) {
    createMcpServerConfig(input: $input) {
      id
      slug
      displayName
      url
      authType
      availability
      enabled
      version
      hasOAuth2Secret
      hasApiKey
      hasCustomHeaders
    }
  }
`);

export const UpdateConfig = graphql(`
  mutation UpdateConfig($id: UUID!, $patch: UpdateMcpServerConfigInput!, $expectedVersion: Int) {
    updateMcpServerConfig(id: $id, patch: $patch, expectedVersion: $expectedVersion) {
      id
      slug
      displayName
      url
      authType
      enabled
      version
      hasOAuth2Secret
      hasApiKey
      hasCustomHeaders
    }
  }
`);

export const DeleteConfig = graphql(`
  mutation DeleteConfig($id: UUID!) {
    deleteMcpServerConfig(id: $id) {
      deletedId
    }
  }
`);

export const ListConfigs = graphql(`
  query ListConfigs($first: Int, $after: String, $filter: McpServerConfigFilter) {
    mcpServerConfigs(first: $first, after: $after, filter: $filter) {
      totalCount
      nodes {
        id
        slug
        displayName
        url
        enabled
        authConnected
        viewerState
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const CreateUser = graphql(`
  mutation CreateUser($input: CreateUserInput!) {
    createUser(input: $input) {
      id
      email
      role
      status
    }
  }
`);

export const UpdateUser = graphql(`
  mutation UpdateUser($id: UUID!, $patch: UpdateUserInput!) {
    updateUser(id: $id, patch: $patch) {
      id
      role
      status
    }
  }
`);

export const CreateApiToken = graphql(`
  mutation CreateApiToken($input: CreateApiTokenInput!) {
    createApiToken(input: $input) {
      token
      apiToken {
        id
      }
    }
  }
`);
