import type { DiscoverOAuthMutation, McpAuthType, TestServerMutation } from '../generated/graphql.ts';
import type { ServerValues } from '../parts/server-values.ts';

type Discovery = DiscoverOAuthMutation['discoverMcpServerOAuth']['discovery'];
type Test = TestServerMutation['testMcpServer']['test'];

/** Parts of host names that say nothing about the server. */
const MEANINGLESS = new Set([
  'www',
  'mcp',
  'api',
  'app',
  'server',
  'remote',
  'com',
  'org',
  'net',
  'dev',
  'io',
  'ai',
  'co',
]);

/** A name and a short name by the host of the URL: "Linear" and `linear` for https://mcp.linear.app/mcp. */
export function suggestNames(url: string): Pick<ServerValues, 'displayName' | 'slug'> {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  const isAddress = /^[\d.]+$|^\[/.test(host);
  const labels = isAddress ? [] : host.split('.').slice(0, host.includes('.') ? -1 : 1);
  const named = labels.filter((label) => !MEANINGLESS.has(label));
  const word = (named.at(-1) ?? '').replace(/^mcp-|-mcp$/, '');
  if (word === '') return { displayName: '', slug: '' };
  const words = word.split(/[-_]/).filter((part) => part !== '');
  const displayName = words.map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}`).join(' ');
  return { displayName, slug: words.join('-').toLowerCase().slice(0, 64) };
}

/** How the server knows its users, by what was found. */
export function suggestAuthType(discovery: Discovery | undefined, test: Test | undefined): McpAuthType {
  const nobody = test?.steps.find(({ name }) => name === 'AUTHORIZATION_NOBODY');
  if (nobody?.outcome === 'OK' && test?.isOk === true) return 'NONE';
  if (discovery?.issuer != null) return 'OAUTH2';
  return test?.isOk === true ? 'NONE' : 'API_KEY';
}

/** The settings of a client that an admin must register by hand. Nothing, if the gateway becomes a client by itself. */
export function suggestClient(discovery: Discovery | undefined): Partial<ServerValues> {
  if (discovery === undefined || discovery.issuer === null || discovery.clientMode !== null) return {};
  return {
    oauth2Issuer: discovery.issuer,
    oauth2AuthUrl: discovery.authorizationUrl ?? '',
    oauth2TokenUrl: discovery.tokenUrl ?? '',
    oauth2RevocationUrl: discovery.revocationUrl ?? '',
    oauth2Scopes: discovery.scopes.join(' '),
    oauth2CallbackMode: 'SHARED',
  };
}
