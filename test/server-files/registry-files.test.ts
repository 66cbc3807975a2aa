import { describe, expect, test } from 'vitest';
import { parseServerFile } from '../../src/domain/server-files/parse-server-file.ts';

const SERVER = {
  $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
  name: 'io.github.owner/weather',
  title: 'Weather',
  description: 'Forecasts.',
  version: '1.0.0',
  websiteUrl: 'https://weather.example',
};
const REMOTE = { type: 'streamable-http', url: 'https://mcp.example.com/mcp' };

const parse = (file: unknown) => parseServerFile(JSON.stringify(file));
const parseRemote = (remote: object) => parse({ ...SERVER, remotes: [{ ...REMOTE, ...remote }] });

describe("the registry's server.json", () => {
  test('becomes the input of a config', () => {
    const icons = [
      { src: 'data:image/png;base64,AA==' },
      { src: 'https://weather.example/dark.png', theme: 'dark' },
      { src: 'https://weather.example/light.png' },
    ];
    const { format, servers } = parse({ ...SERVER, icons, remotes: [REMOTE] });
    expect(format).toBe('registry');
    expect(servers[0]?.input).toEqual({
      slug: 'io-github-owner-weather',
      displayName: 'Weather',
      description: 'Forecasts.',
      iconUrl: 'https://weather.example/light.png',
      url: 'https://mcp.example.com/mcp',
      transport: 'streamable_http',
      authType: 'none',
    });
  });

  test('takes the first Streamable HTTP remote, else the first of SSE', () => {
    const sse = { type: 'sse', url: 'https://mcp.example.com/sse' };
    const { servers } = parse({ ...SERVER, remotes: [sse, REMOTE, { ...REMOTE, url: 'https://other.example/' }] });
    expect(servers[0]?.input.url).toBe(REMOTE.url);
    expect(servers[0]?.notes.join()).toMatch(/other remotes/);
    expect(parse({ ...SERVER, remotes: [sse] }).servers[0]?.input).toMatchObject({ transport: 'sse', url: sse.url });
  });

  test.each([
    [{ ...SERVER, packages: [{ registryType: 'npm', identifier: 'x' }] }, /package/],
    [{ ...SERVER, remotes: [], packages: [] }, /package/],
    [SERVER, /no remote/],
    [{ ...SERVER, remotes: [{ type: 'carrier-pigeon', url: 'https://x.example' }] }, /no remote/],
    [{ ...SERVER, remotes: [{ ...REMOTE, url: 'https://{tenant}.example.com/mcp' }] }, /"tenant"/],
    [{ server: { ...SERVER, remotes: [REMOTE] }, _meta: official({ status: 'deleted' }) }, /deleted/],
    [{ server: { ...SERVER, remotes: [REMOTE] }, _meta: official({ isLatest: false }) }, /newer version/],
  ])('skips %j and says why', (file, reason) => {
    const { servers, skipped } = parse(file);
    expect(servers).toEqual([]);
    expect(skipped).toEqual([{ name: SERVER.name, reason: expect.stringMatching(reason) }]);
  });

  test('is read from a list of the API as well', () => {
    const list = {
      servers: [{ server: { ...SERVER, remotes: [REMOTE] }, _meta: official({ isLatest: true }) }, SERVER],
    };
    expect(parse(list)).toMatchObject({ format: 'registry', servers: [{ name: SERVER.name }], skipped: [{}] });
  });

  test('fills the variables of a URL that have a value', () => {
    const url = 'https://{region}.{zone}.example.com/mcp';
    const variables = { region: { default: 'eu' }, zone: { value: 'one', default: 'two' } };
    const [server] = parseRemote({ url, variables }).servers;
    expect(server?.input.url).toBe('https://eu.one.example.com/mcp');
    expect(server?.notes.join()).toMatch(/defaults/);
  });

  test('asks for a header that has no value', () => {
    const headers = [{ name: 'X-Key', description: 'API key of the console', isRequired: true, isSecret: true }];
    const [server] = parseRemote({ headers }).servers;
    expect(server?.input).toMatchObject({ authType: 'api_key', apiKeyHeader: 'X-Key' });
    expect(server?.secrets).toEqual([
      { field: 'apiKeyValue', header: 'X-Key', placeholder: 'X-Key', description: 'API key of the console' },
    ]);
  });

  test('asks for the variables of a header with their descriptions', () => {
    const value = 'Basic {user}:{password}@{host}/{version}';
    const variables = {
      user: { description: 'Your name', isRequired: true },
      password: {},
      host: { value: 'weather' },
      version: { default: 'v1' },
    };
    const [server] = parseRemote({
      headers: [{ name: 'Authorization', description: 'Sign-in', value, variables }],
    }).servers;
    expect(server?.secrets.map(({ placeholder, description }) => [placeholder, description])).toEqual([
      ['user', 'Your name'],
      ['password', 'Sign-in'],
    ]);
    expect(server?.notes.join()).toMatch(/"version" uses the file's default/);
  });

  test('asks in one sentence, however much the file says', () => {
    const headers = [{ name: 'X-Key', description: 'why '.repeat(1_000), value: '{a} {b} {c}' }];
    const secrets = parseRemote({ headers }).servers[0]?.secrets ?? [];
    expect(secrets.map(({ description }) => description.length)).toEqual([301, 301, 301]);
  });

  test('leaves out optional headers, and says so', () => {
    const headers = [
      { name: 'X-Optional', isSecret: true },
      { name: 'X-Version', value: '2' },
      { name: 'X-Region', default: 'eu' },
    ];
    const [server] = parseRemote({ headers }).servers;
    expect(server?.input.customHeaders?.map(({ name, value }) => [name, value.expose()])).toEqual([
      ['X-Version', '2'],
      ['X-Region', 'eu'],
    ]);
    expect(server?.secrets).toEqual([]);
    expect(server?.notes.join()).toMatch(/"X-Optional" is optional/);
  });

  test('skips what cannot be read, and says why', () => {
    const remotes = [{ url: 5 }, 'x', { ...REMOTE, headers: [{ value: 1 }], variables: { a: 1 } }];
    const good = { ...SERVER, remotes: [REMOTE] };
    const { servers, skipped } = parse({ servers: [{ name: 'a/b', remotes }, { version: '1' }, 3, good] });
    expect(servers.map(({ name }) => name)).toEqual([SERVER.name]);
    expect(skipped).toEqual([
      {
        name: 'a/b',
        reason:
          'It cannot be read. remotes[1]: Must be an object. remotes[0].url: Must be text. ' +
          'remotes[0].type: Say "streamable-http" or "sse". remotes[2].variables.a: Must be an object. ' +
          'remotes[2].headers[0].value: Must be text. And 1 more.',
      },
      { name: 'server 2', reason: 'It cannot be read. name: Add the name of the server.' },
      { name: 'server 3', reason: 'It is not an object with the settings of a server.' },
    ]);
  });
});

function official(fields: object): object {
  return { 'io.modelcontextprotocol.registry/official': fields };
}
