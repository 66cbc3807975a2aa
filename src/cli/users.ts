import { requestGateway } from './admin-client.ts';
import { findUser } from './tokens.ts';

/** Creates a link that signs the user with this address in, once, and prints it. */
export async function createSignInLink(options: { user: string }): Promise<void> {
  const { id: userId } = await findUser(options.user);
  const { createSignInLink: link } = await requestGateway<{ createSignInLink: { url: string; expiresAt: string } }>(
    'createSignInLink',
    { input: { userId } },
  );
  process.stdout.write(`${link.url}\n`);
  process.stderr.write(`It works once, until ${link.expiresAt}. Whoever opens it is signed in as ${options.user}.\n`);
}
