import { createServer } from 'node:http';

// A trivial MCP server, without sessions, at every path. It has some tools and answers each call with the same text.
const TOOLS = 20;

const tools = Array.from({ length: TOOLS }, (_, index) => ({
  name: `tool_${index}`,
  description: `Does thing number ${index}, and says in some words what came of it, so that this is as long as real ones.`,
  inputSchema: {
    type: 'object',
    properties: { path: { type: 'string', description: 'Where.' }, limit: { type: 'integer', minimum: 1 } },
    required: ['path'],
  },
}));
const serverInfo = { name: 'bench', version: '1' };
const capabilities = { tools: {} };
const results: Record<string, unknown> = {
  'server/discover': { supportedVersions: ['2026-07-28'], capabilities, serverInfo },
  initialize: { protocolVersion: '2025-11-25', capabilities, serverInfo },
  'tools/list': { tools, ttlMs: 3_600_000, cacheScope: 'public' },
  'tools/call': { content: [{ type: 'text', text: 'It is done.' }] },
};

createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  if (request.method !== 'POST') return void response.writeHead(405).end();
  const { id, method } = JSON.parse(body) as { id?: unknown; method: string };
  if (id === undefined) return void response.writeHead(202).end();
  const result = results[method];
  const part =
    result === undefined
      ? { error: { code: -32_601, message: 'unknown' } }
      : { result: { resultType: 'complete', ...result } };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, ...part }));
}).listen(Number(process.env['PORT']), '127.0.0.1');
