import { requestGateway } from './admin-client.ts';
import { CommandError } from './failure.ts';

interface TokenRow {
  id: string;
  name: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

interface UserRow {
  id: string;
  email: string;
  role: string;
  apiTokens: TokenRow[];
}

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Prints every user's API tokens, one per line. */
export async function listTokens(): Promise<void> {
  for (const user of await fetchUsers()) {
    for (const token of user.apiTokens) {
      process.stdout.write(`${token.id}  ${user.email}  ${user.role}  ${describe(token)}  ${token.name}\n`);
    }
  }
}

/** Creates a token for the user with this address and prints it. @param expiresInDays if absent, it never expires */
export async function createToken(options: { user: string; name: string; expiresInDays?: number }): Promise<void> {
  const user = await findUser(options.user);
  const expiresAt =
    options.expiresInDays === undefined ? null : new Date(Date.now() + options.expiresInDays * DAY_MS).toISOString();
  const { createApiToken } = await requestGateway<{ createApiToken: { token: string } }>('createToken', {
    input: { userId: user.id, name: options.name, expiresAt },
  });
  process.stdout.write(`${createApiToken.token}\n`);
}

/** Revokes a token immediately. */
export async function revokeToken(id: string): Promise<void> {
  await requestGateway('revokeToken', { input: { id } });
  process.stdout.write('Revoked.\n');
}

/** The user with this address, in any case. @throws CommandError if there is none */
export async function findUser(email: string): Promise<{ id: string }> {
  const user = (await fetchUsers()).find((each) => each.email.toLowerCase() === email.toLowerCase());
  if (user === undefined) throw new CommandError(`No user has the email address ${email}.`);
  return user;
}

async function fetchUsers(): Promise<UserRow[]> {
  const users: UserRow[] = [];
  let after: string | null = null;
  do {
    const {
      users: page,
    }: { users: { nodes: UserRow[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } } =
      await requestGateway('listUsers', { after });
    users.push(...page.nodes);
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return users;
}

function describe({ expiresAt, revokedAt, lastUsedAt }: TokenRow): string {
  if (revokedAt !== null) return `revoked ${revokedAt}`;
  const use = lastUsedAt === null ? 'never used' : `used ${lastUsedAt}`;
  return expiresAt === null ? `never expires, ${use}` : `expires ${expiresAt}, ${use}`;
}
