import type { StreamLimits } from '../../src/domain/feed/config-streams.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { CLIENT_ID, CLIENT_SECRET, type SignInProvider, startSignInProvider } from '../setup/sign-in-provider.ts';
import { createTinyBrowser, type TinyBrowser } from '../setup/tiny-browser.ts';

/** A gateway whose people sign in at a certified provider. */
export interface SignInWorld {
  gateway: TestGateway;
  provider: SignInProvider;
  url: string;
  /** A new browser, which reaches both. */
  browser(): TinyBrowser;
  close(): Promise<void>;
}

export async function openSignInWorld(
  options: {
    env?: Record<string, string>;
    provider?: Partial<Parameters<typeof startSignInProvider>[0]>;
    streamLimits?: Partial<StreamLimits>;
  } = {},
): Promise<SignInWorld> {
  const url = 'http://localhost:4000';
  const provider = await startSignInProvider({ gatewayUrl: url, ...options.provider });
  const { streamLimits } = options;
  const gateway = await createTestGateway({
    ...(streamLimits !== undefined && { streamLimits }),
    env: {
      GATEHOUSE_OIDC_ISSUER: provider.issuer,
      GATEHOUSE_OIDC_CLIENT_ID: CLIENT_ID,
      ...(options.provider?.authMethod !== 'none' && { GATEHOUSE_OIDC_CLIENT_SECRET: CLIENT_SECRET }),
      GATEHOUSE_OIDC_LABEL: 'Example account',
      ...options.env,
    },
  });
  return {
    gateway,
    provider,
    url,
    browser: () =>
      createTinyBrowser((target, init) =>
        target.startsWith(url) ? gateway.fetch(target.slice(url.length), init) : fetch(target, init),
      ),
    async close() {
      await gateway.close();
      await provider.close();
    },
  };
}

export interface Who {
  id: string;
  email: string;
  role: string;
}

/** Who is signed in in a browser. */
export async function whoIsIn(world: SignInWorld, browser: TinyBrowser): Promise<Who | undefined> {
  const response = await browser.request(`${world.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: world.url, 'sec-fetch-site': 'same-origin' },
    body: '{"query":"{ viewer { id email role } }"}',
  });
  const { data } = (await response.json()) as { data?: { viewer: Who } };
  return data?.viewer;
}

/** Signs in at the provider. @returns where the browser ends */
export function signIn(world: SignInWorld, browser: TinyBrowser, returnTo?: string) {
  const query = returnTo === undefined ? '' : `?${new URLSearchParams({ return_to: returnTo })}`;
  return browser.open(`${world.url}/auth/oidc/sign-in${query}`);
}
