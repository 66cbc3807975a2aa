import { askAsAdmin } from './admin.ts';
import { LIST_SIZE } from './list-query.ts';

/** Configs that the member cannot see, between those that they can. */
const HIDDEN = 5;
const TOTAL = LIST_SIZE + HIDDEN;

/** The fields that each auth type requires. The values are not real secrets. */
const CREDENTIALS = [
  { authType: 'NONE' },
  { authType: 'API_KEY', apiKeyHeader: 'X-Api-Key', apiKeyValue: 'benchmark' },
  { authType: 'CUSTOM_HEADERS', customHeaders: [{ name: 'X-Team', value: 'benchmark' }] },
  {
    authType: 'OAUTH2',
    oauth2ClientId: 'gatehouse',
    oauth2ClientSecret: 'benchmark',
    oauth2AuthUrl: 'https://login.example.com/authorize',
    oauth2TokenUrl: 'https://login.example.com/token',
  },
] as const;

const AVAILABILITIES = ['FORCE_ON', 'DEFAULT_ON', 'DEFAULT_OFF'] as const;

/**
 * Creates the configs through the gateway, as an admin would, and a member.
 *
 * @returns the member's API token
 */
export async function seed(url: string, adminToken: string): Promise<string> {
  const ask = <Data>(query: string, input: unknown) => askAsAdmin<Data>(url, adminToken, query, { input });
  for (let index = 0; index < TOTAL; index += 1) {
    await ask(
      'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { mcpServerConfig { id } } }',
      toConfig(index),
    );
  }
  const { createUser } = await ask<{ createUser: { user: { id: string } } }>(
    'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }',
    { email: 'member@example.com', role: 'MEMBER' },
  );
  const { createApiToken } = await ask<{ createApiToken: { token: string } }>(
    'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }',
    { userId: createUser.user.id, name: 'benchmark' },
  );
  return createApiToken.token;
}

function toConfig(index: number) {
  const number = String(index).padStart(2, '0');
  return {
    displayName: `Server ${number}`,
    slug: `server-${number}`,
    description: 'Searches the tickets, pages and chats of one team, and opens, closes and comments on them.',
    url: `https://mcp-${number}.example.com/mcp`,
    iconUrl: `https://mcp-${number}.example.com/icon.svg`,
    availability: AVAILABILITIES[index % AVAILABILITIES.length],
    toolAllowList: ['search', 'open', 'close', 'comment'],
    toolDenyList: ['delete'],
    enabled: index % (TOTAL / HIDDEN) !== 0,
    ...CREDENTIALS[index % CREDENTIALS.length],
  };
}
