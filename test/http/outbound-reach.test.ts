import dns from 'node:dns/promises';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import net, { type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { PRIVATE_ADDRESSES } from '../outbound/private-addresses.ts';
import { type HostileProvider, type HostileWorld, openHostileWorld } from '../setup/hostile-provider.ts';
import { openSession } from './browser-session.ts';
import { SERVERS } from './rest-client.ts';

let world: HostileWorld;
let provider: HostileProvider;
let session: string;
/** A service on loopback that was not allowed: any connection to it is a failure. */
let bystander: { port: number; visits: number; close(): unknown };
/** `host:port` of each connection that this process tried, except those to its database. */
let dialled: string[];
/** What names resolve to; others have no address. Several lists are answers in order. */
let zone: Record<string, string[][]>;

beforeAll(async () => {
  world = await openHostileWorld();
  provider = world.provider;
  session = await openSession(world.gateway, world.gateway.tokens.member);
  bystander = await startBystander();
});
beforeEach(() => {
  provider.reset();
  bystander.visits = 0;
  dialled = [];
  zone = {};
  watchSockets();
  vi.spyOn(dns, 'lookup').mockImplementation(resolveInZone as unknown as typeof dns.lookup);
  // Bindings that were imported by name follow.
  syncBuiltinESMExports();
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});
afterAll(async () => {
  bystander?.close();
  await world?.close();
});

/** Like `lookup` with `all`. */
async function resolveInZone(name: string): Promise<{ address: string; family: number }[]> {
  const answers = zone[name] ?? [];
  const [addresses] = answers.length > 1 ? answers.splice(0, 1) : answers;
  if (addresses === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  return addresses.map((address) => ({ address, family: net.isIP(address) }));
}

async function startBystander(): Promise<typeof bystander> {
  const counts = { port: 0, visits: 0, close: () => [...servers].map((server) => server.close()) };
  const listenAt = (host: string) =>
    net
      .createServer((socket) => {
        counts.visits += 1;
        socket.destroy();
      })
      .listen(counts.port, host);
  const servers = [listenAt('127.0.0.1')];
  await Promise.all(servers.map((server) => once(server, 'listening')));
  for (const server of servers) counts.port = (server.address() as AddressInfo).port;
  // At the same port of IPv6, if the machine has it.
  servers.push(listenAt('::1').on('error', () => undefined));
  return counts;
}

/** Every socket connects with this function, TLS sockets too. */
function watchSockets(): void {
  const url = inject('serverUrl');
  const databasePort = url === undefined ? undefined : new URL(url).port || '5432';
  const { connect } = net.Socket.prototype;
  vi.spyOn(net.Socket.prototype, 'connect').mockImplementation(function (this: net.Socket, ...args: unknown[]) {
    const [first, second] = args.flat();
    const { host, port } = (
      typeof first === 'object' ? first : { port: first, host: second }
    ) as net.TcpSocketConnectOpts;
    if (String(port) !== databasePort) dialled.push(`${host}:${port}`);
    return Reflect.apply(connect, this, args);
  });
}

/** Expects that only the provider was contacted. */
function expectNobodyElse(): void {
  expect(dialled.filter((each) => each !== `127.0.0.1:${provider.port}`)).toEqual([]);
  expect(bystander.visits).toBe(0);
}

/** The gateway's message about a call that it refuses; none where it says nothing. */
type Outcome = { status: number; said: string };

/** Each URL that the gateway may call, by who sets it. */
const CALLS: Record<string, (base: string) => Promise<Outcome>> = {
  'the URL of the server': (base) => create({ url: `${base}/mcp` }),
  'the URL of the server, in a dry run': (base) => rehearse(`${base}/mcp`),
  'the metadata that a challenge names': (base) => {
    provider.challenge(`Bearer resource_metadata="${base}/metadata"`);
    // The next place is asked, and is of no use.
    provider.spoilResource({ resource: 'https://another.example.com/' });
    return create({});
  },
  'the authorization server that the metadata names': (base) => {
    provider.spoilResource({ authorization_servers: [`${base}/as`] });
    return create({});
  },
  'the registration endpoint': (base) => {
    provider.spoilMetadata({ registration_endpoint: `${base}/register` });
    return create({});
  },
  'the token endpoint, discovered': (base) => {
    provider.spoilMetadata({ token_endpoint: `${base}/token` });
    return create({}, connect);
  },
  'the token endpoint, given': (base) => create(provider.settings({ oauth2_token_url: `${base}/token` }), connect),
  'the revocation endpoint, discovered': (base) => {
    provider.spoilMetadata({ revocation_endpoint: `${base}/revoke` });
    return create({}, disconnect);
  },
  'the revocation endpoint, given': (base) =>
    create(provider.settings({ oauth2_revocation_url: `${base}/revoke` }), disconnect),
  'the issuer, given': (base) => create(provider.settings({ oauth2_issuer: `${base}/as` }), begin),
};

let slugs = 0;

/** Creates a server, and continues with it if that works. */
async function create(fields: Record<string, unknown>, goOn?: (id: string) => Promise<Outcome>): Promise<Outcome> {
  slugs += 1;
  const named = { display_name: 'Reach', slug: `reach-${slugs}`, enabled: true };
  const discovered = { url: provider.serverUrl, auth_type: 'oauth2' };
  const answer = await world.rest.call('admin', 'POST', SERVERS, { ...named, ...discovered, ...fields });
  if (answer.status === 201 && goOn !== undefined) return goOn(answer.body.id);
  return { status: answer.status, said: answer.text };
}

async function rehearse(url: string): Promise<Outcome> {
  const query = 'query ($url: String!) { discoverMcpServerOAuth(url: $url) { problems } }';
  const { data, errors } = await world.gateway.graphql(query, {
    token: world.gateway.tokens.admin,
    variables: { url },
  });
  if (data === null) return { status: 400, said: JSON.stringify(errors) };
  const { problems } = data.discoverMcpServerOAuth;
  return { status: problems.length > 0 ? 502 : 200, said: problems.join() };
}

async function connect(configId: string): Promise<Outcome> {
  const begun = await world.begin(configId, session);
  const answer = { ...begun.answer, iss: provider.issuer };
  const { status, text } = await world.bring(begun, { cookies: [session, begun.cookie], answer });
  return { status, said: text };
}

async function disconnect(configId: string): Promise<Outcome> {
  const connected = await connect(configId);
  if (connected.status !== 200) throw new Error(`not connected: ${connected.said}`);
  const mutation = `mutation { disconnectMcpServer(id: "${configId}") { tokenRevoked revocationError } }`;
  const { data } = await world.gateway.graphql(mutation, { token: world.gateway.tokens.member });
  const { tokenRevoked, revocationError } = data.disconnectMcpServer;
  return { status: tokenRevoked ? 200 : 502, said: String(revocationError) };
}

/** An issuer's metadata is loaded when somebody connects, and skipped if it is unavailable. */
async function begin(configId: string): Promise<Outcome> {
  await world.begin(configId, session);
  return { status: 502, said: 'nothing' };
}

/** A private, a loopback and a link-local address, and one that holds another. */
const ONE_OF_EACH_KIND = ['10.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1'];

/** Names that resolve to private addresses, entirely or in part. The first two are enough for most calls. */
const NAMES: Record<string, string[]> = {
  'both.example.com': ['93.184.216.34', '127.0.0.1'],
  localhost: ['127.0.0.1', '::1'],
  'nobody.example.com': [],
  'metadata.google.internal': ['169.254.169.254'],
  'inside.example.com': ['10.0.0.1'],
  'mapped.example.com': ['::ffff:127.0.0.1'],
  'sixth.example.com': ['fd00::1'],
};

/** Disguised spellings of loopback. */
const LOOPBACK_SPELLINGS = [
  ...['127.0.0.1', '127.1', '127.0.1', '127.0.0.1.', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1'],
  ...['017700000001', '0', '%31%32%37.0.0.1', '１２７.0.0.1', '127。0。0。1', '①②⑦.0.0.1', 'localhost', 'LOCALHOST'],
  ...[
    'localhost.',
    'x@127.0.0.1',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
  ],
];

/** As a number, in letters that are normalized, and of IPv6. */
const FEW_LOOPBACK_SPELLINGS = ['2130706433', '①②⑦.0.0.1', '[::ffff:7f00:1]'];

const NOT_CALLED = /address that (?:this|the) gateway may not call/;

describe.each(Object.entries(CALLS))('%s', (what, call) => {
  /** The message that shows it was not called; the others say the same whatever went wrong. */
  const tells = !what.includes('revocation') && !what.includes('issuer');

  // A URL that a server names. All go through the one function that test/outbound/safe-fetch.test.ts tries with every
  // address, so that the others need only one of each kind. That function sees no spelling of an address: each is parsed
  // as a URL before, those that an admin gives and those that a server names in different places.
  const takesAll = what.includes('a challenge names');
  const takesAllSpellings = takesAll || what.includes('dry run');

  test('is called where the operator allows it', async () => {
    await call(`${provider.origin}/probe`);
    expect(provider.log().filter((line) => line.includes('/probe'))).not.toEqual([]);
    expectNobodyElse();
  });

  test('is not called at any non-public address', async () => {
    for (const address of takesAll ? PRIVATE_ADDRESSES : ONE_OF_EACH_KIND) {
      // Written in canonical form: other spellings are refused before.
      const { origin } = new URL(`https://${net.isIPv6(address) ? `[${address}]` : address}`);
      const { status, said } = await call(origin);
      expect({ address, status }).toEqual({ address, status: 502 });
      if (tells) expect(said, address).toMatch(NOT_CALLED);
    }
    expectNobodyElse();
  });

  test('is not called by a name that resolves to one', async () => {
    for (const [name, addresses] of Object.entries(NAMES).slice(0, takesAll ? undefined : 2)) {
      zone = { [name]: [addresses] };
      const { status, said } = await call(`https://${name}`);
      expect({ name, status }).toEqual({ name, status: 502 });
      if (tells && addresses.length > 0) expect(said, name).toMatch(NOT_CALLED);
      expect(dns.lookup, name).toHaveBeenCalledWith(name, expect.anything());
    }
    expectNobodyElse();
  });

  test('is not called on this machine, however that is written', async () => {
    zone = { localhost: [['127.0.0.1', '::1']], 'localhost.': [['127.0.0.1', '::1']] };
    const schemes = ['http', 'https'];
    for (const [index, spelling] of (takesAllSpellings ? LOOPBACK_SPELLINGS : FEW_LOOPBACK_SPELLINGS).entries()) {
      for (const scheme of takesAllSpellings ? schemes : schemes.slice(index % 2, (index % 2) + 1)) {
        const base = `${scheme}://${spelling}:${bystander.port}`;
        const { status } = await call(base);
        expect([400, 502], base).toContain(status);
      }
    }
    expectNobodyElse();
  });
});

describe('a redirect', () => {
  const places = ['mcp', 'resource', 'metadata', 'registration', 'token', 'revocation'] as const;

  test.each(places)('of %s is not followed', async (place) => {
    const bases = [`http://127.0.0.1:${bystander.port}`, 'https://169.254.169.254', provider.origin];
    // Each status, to where it would be noticed; and each base. One function calls all places: two of them get all.
    const all = [301, 302, 303, 307, 308].map((status) => [status, provider.origin] as const);
    const redirects = [...all, [307, bases[0]], [308, bases[1]]] as const;
    const few = [all[1], all[3], redirects[5]] as typeof redirects;
    for (const [status, base] of place === 'mcp' || place === 'token' ? redirects : few) {
      provider.reset();
      provider.answer(place, { status, headers: { location: `${base}/led-astray` }, body: '' });
      const goOn = { token: connect, revocation: disconnect }[place as string];
      await create(goOn === undefined ? {} : provider.settings(), goOn);
      expect(provider.requestsTo(place)).not.toEqual([]);
      expect(provider.log().filter((line) => line.includes('led-astray'))).toEqual([]);
    }
    expectNobodyElse();
  });
});

// Opens its own gateway.
describe('a name that resolves differently each time', () => {
  test('is called at the address that was checked, and not at the next', async () => {
    const own = await openHostileWorld({ GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.1/32' });
    try {
      zone = { 'rebind.example.com': [['127.0.0.1'], ['127.0.0.9'], ['127.0.0.9']] };
      const url = `https://rebind.example.com:${bystander.port}/mcp`;
      const fields = { display_name: 'R', slug: 'rebind', url, auth_type: 'oauth2' };
      const answer = await own.rest.call('admin', 'POST', SERVERS, fields);
      expect(answer.status).toBe(502);
      expect(answer.text).toMatch(NOT_CALLED);
      // The first call is let through, and fails because nobody speaks TLS there. Those for the metadata are not.
      expect(dialled).toEqual([`127.0.0.1:${bystander.port}`]);
      expect(dns.lookup).toHaveBeenCalledTimes(3);
    } finally {
      await own.close();
    }
  });
});
