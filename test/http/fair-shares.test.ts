import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SHARE_LIMITS } from '../../src/domain/shares/operation-shares.ts';
import { openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { logStatements } from '../setup/statement-log.ts';

const { maxRunning, maxWaiting } = SHARE_LIMITS;

let gateway: TestGateway;
let statements: string[];
let mcpServer: Server;
const cleanUps: (() => Promise<unknown>)[] = [];
/** Requests that the MCP server has not answered yet. */
const held: ServerResponse[] = [];

beforeAll(async () => {
  mcpServer = createServer((_request, response) => void held.push(response)).listen(0, '127.0.0.1');
  cleanUps.push(async () => {
    mcpServer.closeAllConnections();
    mcpServer.close();
  });
  const own = await openTestDatabase();
  cleanUps.push(own.close);
  const logged = logStatements(own);
  ({ statements } = logged);
  const env = { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' };
  gateway = await createTestGateway({ database: logged.database, env });
  cleanUps.push(gateway.close);
});
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

/** An operation that lasts until the MCP server answers. */
function discover() {
  const { port } = mcpServer.address() as AddressInfo;
  const query = 'query ($url: String!) { discoverMcpServerOAuth(url: $url) { problems } }';
  return gateway.graphql(query, {
    token: gateway.tokens.admin,
    variables: { url: `http://127.0.0.1:${port}/mcp` },
  });
}

const ask = (role: 'admin' | 'member') => gateway.graphql('{ viewer { id } }', { token: gateway.tokens[role] });
const answerAll = () => {
  for (const response of held.splice(0)) response.writeHead(404).end();
};
/** Answers the MCP server's requests until the operations are done. */
async function finish(operations: Promise<unknown>[]): Promise<void> {
  const answering = setInterval(answerAll, 5);
  await Promise.all(operations).finally(() => clearInterval(answering));
}

test("a caller's ninth operation waits for one of the eight before it, and nobody else's does", async () => {
  const running = Array.from({ length: maxRunning }, discover);
  await expect.poll(() => held.length).toBe(maxRunning);
  let isAnswered = false;
  const ninth = ask('admin').finally(() => {
    isAnswered = true;
  });
  for (let round = 0; round < 5; round += 1) expect((await ask('member')).status).toBe(200);
  expect(isAnswered).toBe(false);
  await finish(running);
  expect((await ninth).status).toBe(200);
});

test('a caller with too many waiting operations is told so, and nobody else is', async () => {
  const running = Array.from({ length: maxRunning }, discover);
  await expect.poll(() => held.length).toBe(maxRunning);
  const waiting = Array.from({ length: maxWaiting }, () => ask('admin'));
  const more = await ask('admin');
  expect(more).toMatchObject({ status: 429, errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
  const rest = await gateway.fetch('/api/experimental/mcp/servers', {
    headers: { authorization: `Bearer ${gateway.tokens.admin}` },
  });
  expect([rest.status, rest.headers.get('retry-after')]).toEqual([429, '1']);
  expect((await ask('member')).status).toBe(200);
  await finish(running);
  for (const { status } of await Promise.all(waiting)) expect(status).toBe(200);
});

test('the audit log is verified once for everyone who asks at the same time', async () => {
  const verify = async (query: string) => {
    statements.length = 0;
    const { data, errors } = await gateway.graphql(query, { token: gateway.tokens.auditor });
    expect(errors).toBeUndefined();
    return { data, reads: statements.filter((sql) => /audit_entries/.test(sql)).length };
  };
  const once = await verify('{ a: verifyAuditLog { checked brokenAt head } }');
  const aliases = Array.from({ length: 15 }, (_, index) => `a${index}: verifyAuditLog { checked brokenAt head }`);
  const often = await verify(`{ ${aliases.join(' ')} }`);
  expect(often.reads).toBe(once.reads);
  expect(Object.values(often.data)).toEqual(Array.from({ length: 15 }, () => once.data.a));
});
