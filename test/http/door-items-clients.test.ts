import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type EverythingServer, startEverythingServer } from '../setup/everything-server.ts';
import { BOOK, LONG_PROMPT, type SmallMcpServer, startLibrary } from '../setup/mcp-servers.ts';
import { readMessages } from './door-messages.ts';
import { CLIENTS, type DoorClient, type DoorWorld, openDoorWorld } from './door-world.ts';

// Resources and prompts of real servers, through doors, with real clients.

const LISTS = [
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
  ['prompts/list', 'prompts'],
] as const;

let world: DoorWorld;
let library: SmallMcpServer;
let everything: EverythingServer;

beforeAll(async () => {
  [library, everything] = await Promise.all([startLibrary(), startEverythingServer('streamable_http')]);
  world = await openDoorWorld();
  const exposed = { exposeResources: true, exposePrompts: true };
  await world.define({ slug: 'library', url: library.url, ...exposed });
  await world.define({ slug: 'everything', url: everything.url, ...exposed });
  // On a busy machine a server may be late for the first list. Then the list comes beside.
  const count = async (method: string, part: string): Promise<number> => {
    const message = { jsonrpc: '2.0', id: 1, method, params: {} };
    const { result } = (
      await readMessages(await world.post('/mcp', message, { token: world.gateway.tokens.member }))
    )[0];
    return new Set(result[part].map((each: any) => /everything|library/.exec(JSON.stringify(each))?.[0])).size;
  };
  for (const [method, part] of LISTS) {
    await vi.waitFor(async () => expect(await count(method, part)).toBe(2), { timeout: 30_000, interval: 100 });
  }
  await world.define({ slug: 'closed', url: library.url, availability: 'DEFAULT_OFF' });
});
afterAll(async () => {
  await world?.close();
  await Promise.all([library?.close(), everything?.close()]);
});

describe.each(Object.keys(CLIENTS))('a client: %s', (name) => {
  const withClient = async (path: string, work: (client: DoorClient) => Promise<void>): Promise<void> => {
    const open = CLIENTS[name] as (typeof CLIENTS)[string];
    const client = await open(`${world.url}${path}`, world.gateway.tokens.member);
    try {
      await work(client);
    } finally {
      await client.close();
    }
  };

  test('lists the resources of all servers, and reads each by its URI', () =>
    withClient('/mcp', async (client) => {
      const { resources } = await client.listResources();
      const slugs = resources.map(({ uri }: any) => /^gatehouse:\/\/([a-z]+)\//.exec(uri)?.[1]);
      expect(new Set(slugs)).toEqual(new Set(['everything', 'library']));
      expect(slugs).toEqual([...slugs].sort());
      expect(slugs.filter((slug: string) => slug === 'everything').length).toBeGreaterThan(2);
      for (const { uri } of resources) {
        const { contents } = await client.readResource({ uri });
        expect(contents[0].uri).toBe(uri);
        expect(contents[0].text ?? contents[0].blob).toEqual(expect.any(String));
      }
      const book = resources.find(({ uri }: any) => uri.startsWith('gatehouse://library/'));
      const { contents } = await client.readResource({ uri: book.uri });
      expect(contents[0].text).toBe(`read ${BOOK}`);
    }));

  test('fills in a template, and the server gets what its own would give', () =>
    withClient('/mcp', async (client) => {
      const { resourceTemplates } = await client.listResourceTemplates();
      const templates = resourceTemplates.map(({ uriTemplate }: any) => uriTemplate);
      expect(templates).toContain('gatehouse://library/shelf://by-title/{title}{?page}');
      expect(templates.filter((each: string) => each.startsWith('gatehouse://everything/')).length).toBeGreaterThan(0);
      const uri = 'gatehouse://library/shelf://by-title/War%20%2F%20Peace?page=7';
      const { contents } = await client.readResource({ uri });
      expect(contents[0]).toMatchObject({ uri, text: 'read shelf://by-title/War%20%2F%20Peace?page=7' });
    }));

  test('lists prompts under names that no two servers share, and gets them', () =>
    withClient('/mcp', async (client) => {
      const names: string[] = (await client.listPrompts()).prompts.map((each: any) => each.name);
      expect(names).toContain('library__review');
      expect(names.filter((each) => each.startsWith('everything__')).length).toBeGreaterThan(1);
      for (const each of names) expect(each).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      const { messages } = await client.getPrompt({ name: 'library__review', arguments: { of: 'this' } });
      expect(messages[0].content.text).toBe('review this');
      expect(messages[1].content.resource.uri).toBe(`gatehouse://library/${encodeURIComponent(BOOK)}`);
      const long = names.find((each) => /^library__what_would.*_[0-9a-f]{10}$/.test(each)) ?? '';
      expect((await client.getPrompt({ name: long })).messages[0].content.text).toBe(`${LONG_PROMPT} `);
    }));

  test("finds them at a server's own door as the server has them", () =>
    withClient('/mcp/servers/library', async (client) => {
      expect((await client.listResources()).resources.map(({ uri }: any) => uri)).toEqual([BOOK]);
      expect((await client.readResource({ uri: BOOK })).contents[0]).toMatchObject({ uri: BOOK, text: `read ${BOOK}` });
      expect((await client.getPrompt({ name: 'review' })).messages[1].content.resource.uri).toBe(BOOK);
      const { content } = (await client.callTool({ name: 'echo' })) as any;
      expect(content[0].uri).toBe(BOOK);
    }));

  test('can read what a result of a tool links to', () =>
    withClient('/mcp', async (client) => {
      const { content } = (await client.callTool({ name: 'library__echo' })) as any;
      expect((await client.readResource({ uri: content[0].uri })).contents[0].text).toBe(`read ${BOOK}`);
    }));

  test('hears of neither at the door of a server that exposes none', () =>
    withClient('/mcp/servers/closed', async (client) => {
      expect(Object.keys(client.getServerCapabilities() ?? {})).toEqual(['tools']);
      await expect(client.readResource({ uri: BOOK })).rejects.toThrow();
      await expect(client.getPrompt({ name: 'review' })).rejects.toThrow();
    }));
});

test('the content of a resource is for its user only, and not for long', async () => {
  const client = await (CLIENTS['SDK 2, pinned'] as (typeof CLIENTS)[string])(
    `${world.url}/mcp/servers/library`,
    world.gateway.tokens.member,
  );
  expect(await client.readResource({ uri: BOOK })).toMatchObject({ ttlMs: 10_000, cacheScope: 'private' });
  await client.close();
});
