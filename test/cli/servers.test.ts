import { expect, test } from 'vitest';
import { AUTHORITY_FILE, CERTIFICATES } from '../setup/certificates.ts';
import { type HostileUpstream, startHostileUpstream, toTool } from '../setup/hostile-upstream.ts';
import { makePlace, stop } from '../setup/place.ts';
import { GATEHOUSE_COMMAND } from '../setup/process.ts';

const ESCAPE = '\u001b[2J\u009b31m\u202e';
/** What must not reach a terminal. */
const HIDDEN = /(?!\n)[\p{Cc}\p{Bidi_Control}\u200b]/u;

async function startTools(): Promise<HostileUpstream> {
  const upstream = await startHostileUpstream();
  const inputSchema = { type: 'object', properties: { path: {}, encoding: {} }, required: ['path'] };
  upstream.onMethod('/mcp', {
    'tools/list': () => ({
      tools: [
        toTool('read', { inputSchema, description: `Reads a file.${ESCAPE}\nMore of it.` }),
        toTool('write', { description: undefined }),
        toTool(`odd${ESCAPE}`),
      ],
    }),
    'tools/call': ({ params }) => {
      const { path } = params['arguments'] as { path?: string };
      if (path === '/none') return { content: [{ type: 'text', text: 'no such file' }], isError: true };
      return {
        content: [
          { type: 'text', text: `${ESCAPE}content of ${path}\nline 2` },
          { type: 'image', mimeType: 'image/png', data: 'AAAA' },
        ],
      };
    },
  });
  return upstream;
}

test('servers are listed and tested, and their tools listed and called, through the running gateway', async () => {
  const upstream = await startTools();
  const trusted = await startHostileUpstream(CERTIFICATES.localhost);
  const mistaken = await startHostileUpstream(CERTIFICATES.otherHost);
  for (const { onMethod } of [trusted, mistaken]) onMethod('/mcp', {});
  const place = await makePlace({
    anyDatabase: true,
    env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8,::1/128', NODE_EXTRA_CA_CERTS: AUTHORITY_FILE },
  });
  const run = async (...args: string[]) => {
    const result = await place.run('servers', ...args);
    expect(result.output).not.toMatch(HIDDEN);
    return result;
  };
  try {
    expect(await run('list')).toMatchObject({ code: 1, output: expect.stringContaining('No admin token found') });
    const gateway = await place.serve();
    const url = upstream.urlOf('/mcp');
    const { createMcpServerConfig: files } = await place.ask(
      `mutation { createMcpServerConfig(input: { displayName: "Files", slug: "files", url: "${url}", enabled: true,
         toolDenyList: ["write"] }) { id } }`,
    );
    await place.ask(
      'mutation { createMcpServerConfig(input: { displayName: "Away", slug: "away", url: "http://127.0.0.1:9/mcp" }) { id } }',
    );
    await place.ask(`mutation { refreshMcpServerTools(input: { id: "${files.id}" }) { problem } }`);

    const listed = await run('list');
    expect(listed).toMatchObject({
      code: 0,
      output: expect.stringContaining(`files  enabled  DEFAULT_OFF  NONE  REACHABLE  ${url}`),
    });
    expect(listed.output).toContain('away  disabled');
    expect(await run('tools', 'away')).toMatchObject({
      code: 0,
      output: expect.stringContaining('No tools are known yet.'),
    });
    expect(JSON.parse((await run('list', '--json')).output)).toMatchObject([{ slug: 'away' }, { slug: 'files' }]);

    const works = await run('test', 'files');
    expect(works.code).toBe(0);
    expect(works.output).toMatch(/^OK +TOOLS +\d+ ms {2}3 tools\.$/m);
    expect(works.output).toMatch(/^SKIPPED +TLS +The URL has no TLS\.$/m);
    const fails = await run('test', 'away');
    expect(fails).toMatchObject({ code: 1, output: expect.stringMatching(/^FAILED +ADDRESS /m) });
    expect(fails.output).toContain('Check that the server runs');
    expect(JSON.parse((await run('test', 'away', '--json')).output)).toMatchObject({ isOk: false });

    // The gateway trusts the authority of both certificates. One of them is of another host.
    for (const [slug, server] of [
      ['trusted', trusted],
      ['mistaken', mistaken],
    ] as const) {
      const settings = `displayName: "${slug}", slug: "${slug}", url: "${server.urlOf('/mcp')}", enabled: true`;
      const { createMcpServerConfig } = await place.ask(
        `mutation { createMcpServerConfig(input: { ${settings} }) { id } }`,
      );
      await place.ask(`mutation { refreshMcpServerTools(input: { id: "${createMcpServerConfig.id}" }) { problem } }`);
    }
    expect((await run('test', 'trusted')).output).toMatch(
      /^OK +TLS +\d+ ms {2}TLSv1\.3\. The certificate is valid until /m,
    );
    const wrong = await run('test', 'mistaken');
    expect(wrong).toMatchObject({ code: 1, output: expect.stringMatching(/^FAILED +TLS /m) });
    expect(wrong.output).toMatch(/^OK +ADDRESS /m);
    expect(wrong.output).toContain('for the name in the URL');
    const reachable = '{ mcpServerConfigs(first: 10) { nodes { slug reachability { state problem } } } }';
    const { mcpServerConfigs } = await place.ask(reachable);
    expect(mcpServerConfigs.nodes).toEqual(
      expect.arrayContaining([
        { slug: 'trusted', reachability: { state: 'REACHABLE', problem: null } },
        { slug: 'mistaken', reachability: { state: 'UNREACHABLE', problem: 'TLS_FAILED' } },
      ]),
    );
    expect(mistaken.seen('/mcp')).toEqual([]);

    const tools = await run('tools', 'files');
    expect(tools.code).toBe(0);
    expect(tools.output).toContain('ALLOWED      read(path, encoding?)\n');
    expect(tools.output).toContain('! INVISIBLE_CHARACTERS, BIDI_CONTROLS');
    expect(tools.output).toContain('Reads a file.\\u{1b}[2J\\u{9b}31m\\u{202e}\n');
    expect(tools.output).toContain('DENIED       write()');
    expect(tools.output).not.toContain('More of it.');
    const rows = JSON.parse((await run('tools', 'files', '--json')).output);
    expect(rows.map(({ name }: { name: string }) => name)).toEqual([`odd${ESCAPE}`, 'read', 'write']);

    const called = await run('call', 'files', 'read', '--arguments', '{"path": "/a"}');
    expect(called.code).toBe(0);
    expect(called.output).toContain('content of /a\nline 2\n[image image/png 4 characters of Base64]\n');
    expect(called.output).toMatch(/^Done, after \d+ ms\.$/m);
    const asJson = JSON.parse((await run('call', 'files', 'read', '--json')).output);
    expect(asJson).toMatchObject({
      isError: false,
      code: null,
      content: [{ text: expect.stringContaining(ESCAPE) }, {}],
    });
    const command = [...GATEHOUSE_COMMAND, 'servers', 'call', 'files', 'read', '--arguments', '-'];
    const piped = place.startProcess('bash', '-c', `echo '{"path": "/piped"}' | ${command.join(' ')}`);
    expect(await piped.exit, piped.output()).toBe(0);
    expect(piped.output()).toContain('content of /piped');

    const failed = await run('call', 'files', 'read', '--arguments', '{"path": "/none"}');
    expect(failed).toMatchObject({
      code: 1,
      output: expect.stringMatching(/no such file\nThe tool says that it failed/),
    });
    const denied = await run('call', 'files', 'write');
    expect(denied).toMatchObject({
      code: 1,
      output: expect.stringMatching(/DENIED: An admin has switched this tool off/),
    });
    expect(JSON.parse((await run('call', 'files', 'write', '--json')).output)).toMatchObject({ code: 'DENIED' });
    const broken = await run('call', 'files', 'read', '--arguments', '[1]');
    expect(broken).toMatchObject({ code: 1, output: expect.stringContaining('no JSON object') });
    for (const args of [['test'], ['tools'], ['call']]) {
      const none = await run(...args, 'none', ...(args[0] === 'call' ? ['read'] : []));
      expect(none).toMatchObject({ code: 1, output: expect.stringContaining('No server has the slug none.') });
    }
    await stop(gateway);
  } finally {
    await upstream.close();
  }
});
