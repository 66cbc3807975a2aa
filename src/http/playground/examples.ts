import { type Action, can } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** An example operation: a tab of the playground. */
export interface Example {
  /** The permission that a viewer needs to run the example. */
  action: Action;
  /** One named operation, preceded by a comment line that describes it. */
  query: string;
  variables?: Readonly<Record<string, unknown>>;
}

const SERVER_ID = 'put the id of a server here';
const USER_ID = 'put the id of a user here';

/** In the order in which a new user would run them. */
export const EXAMPLES: readonly Example[] = [
  {
    action: 'viewer.read',
    query: `# Shows the user that you are signed in as.
query WhoAmI {
  viewer {
    id
    email
    role
    status
  }
}
`,
  },
  {
    action: 'mcpServerConfig.create',
    query: `# Creates a server without sign-in (disabled).
mutation CreateOpenServer(
  $input: CreateMcpServerConfigInput!
) {
  createMcpServerConfig(input: $input) {
    mcpServerConfig {
      id
      slug
      url
      authType
      enabled
    }
  }
}
`,
    variables: {
      input: {
        displayName: 'DeepWiki',
        slug: 'deepwiki',
        url: 'https://mcp.deepwiki.com/mcp',
        description: 'Answers questions about public repositories.',
      },
    },
  },
  {
    action: 'mcpServerConfig.create',
    query: `# Creates a server with an API key for all users.
mutation CreateApiKeyServer(
  $input: CreateMcpServerConfigInput!
) {
  createMcpServerConfig(input: $input) {
    mcpServerConfig {
      id
      slug
      url
      authType
      enabled
      apiKeyHeader
      hasApiKey
    }
  }
}
`,
    variables: {
      input: {
        displayName: 'Context7',
        slug: 'context7',
        url: 'https://mcp.context7.com/mcp',
        description: 'Documentation of libraries, for the version in use.',
        authType: 'API_KEY',
        apiKeyHeader: 'CONTEXT7_API_KEY',
        apiKeyValue: 'put your API key here',
      },
    },
  },
  {
    action: 'mcpServerConfig.create',
    query: `# Creates a server with a separate sign-in per user.
mutation CreateOAuthServer(
  $input: CreateMcpServerConfigInput!
) {
  createMcpServerConfig(input: $input) {
    mcpServerConfig {
      id
      slug
      url
      authType
      enabled
      oauth2Scopes
      hasOAuth2Secret
    }
  }
}
`,
    variables: {
      input: {
        displayName: 'GitHub',
        slug: 'github',
        url: 'https://api.githubcopilot.com/mcp/',
        description: 'Repositories, issues and pull requests.',
        authType: 'OAUTH2',
        oauth2ClientId: 'put the client id of your OAuth app here',
        oauth2ClientSecret: 'put its client secret here',
        oauth2AuthUrl: 'https://github.com/login/oauth/authorize',
        oauth2TokenUrl: 'https://github.com/login/oauth/access_token',
        oauth2Scopes: ['repo', 'read:user'],
        availability: 'DEFAULT_ON',
      },
    },
  },
  {
    action: 'mcpServerConfig.list',
    query: `# Lists the servers that you can see, by name.
query ListServers(
  $first: Int
  $filter: McpServerConfigFilter
) {
  mcpServerConfigs(first: $first, filter: $filter) {
    totalCount
    nodes {
      id
      slug
      displayName
      enabled
      authType
      viewerState
      url
      connectedUserCount
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    variables: { first: 50, filter: {} },
  },
  {
    action: 'mcpServerConfig.update',
    query: `# Enables a server (ListServers shows its id).
mutation EnableServer(
  $input: UpdateMcpServerConfigInput!
) {
  updateMcpServerConfig(input: $input) {
    mcpServerConfig {
      slug
      enabled
      version
    }
  }
}
`,
    variables: { input: { id: SERVER_ID, enabled: true } },
  },
  {
    action: 'mcpServerConfig.update',
    query: `# Disables a server immediately, for all users.
mutation DisableServer(
  $input: UpdateMcpServerConfigInput!
) {
  updateMcpServerConfig(input: $input) {
    mcpServerConfig {
      slug
      enabled
      version
    }
  }
}
`,
    variables: { input: { id: SERVER_ID, enabled: false } },
  },
  {
    action: 'feed.subscribe',
    query: `# Subscribes to all changes of servers.
subscription FollowChanges($includeInitial: Boolean) {
  mcpServerConfigEvents(
    includeInitial: $includeInitial
  ) {
    type
    cursor
    changedFields
    config {
      slug
      enabled
      version
    }
  }
}
`,
    variables: { includeInitial: true },
  },
  {
    action: 'user.list',
    query: `# Lists the users, oldest first.
query ListUsers($first: Int) {
  users(first: $first) {
    totalCount
    nodes {
      id
      email
      role
      status
    }
  }
}
`,
    variables: { first: 50 },
  },
  {
    action: 'mcpServerConnection.removeAny',
    query: `# Removes a user's tokens; without userId, all users'.
mutation RemoveUserTokens(
  $input: RemoveMcpServerUserTokensInput!
) {
  removeMcpServerUserTokens(input: $input) {
    removedCount
  }
}
`,
    variables: { input: { id: SERVER_ID, userId: USER_ID } },
  },
];

/** The examples that this viewer may run. */
export function examplesFor(viewer: Viewer): Example[] {
  return EXAMPLES.filter(({ action }) => can(viewer, action));
}
