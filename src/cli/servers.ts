import { text as readStream } from 'node:stream/consumers';
import { requestGateway } from './admin-client.ts';
import { CommandError } from './failure.ts';
import { describeArguments, firstLine, formatContent, print, printJson, toVisible } from './server-output.ts';

/** The output of a command as JSON. */
interface OutputOptions {
  json?: boolean;
}

interface Page<Node> {
  nodes: Node[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

interface ServerRow {
  slug: string;
  displayName: string;
  url: string;
  authType: string;
  availability: string;
  enabled: boolean;
  reachability: { state: string; problem: string | null; checkedAt: string | null };
}

interface TestStep {
  name: string;
  outcome: 'OK' | 'FAILED' | 'SKIPPED';
  ms: number;
  found: string;
  advice: string | null;
}

interface ToolRow {
  name: string;
  shownAs: string;
  description: string | null;
  inputSchema: unknown;
  decision: string;
  digest: string;
  warnings: string[];
}

interface ToolResult {
  content: unknown;
  structuredContent: unknown;
  isError: boolean;
  code: string | null;
  connectUrl: string | null;
  ms: number;
}

/** Servers may be slow: the gateway waits for them, and gives up before this. */
const TIMEOUT_MS = 600_000;

/** Prints all servers. */
export async function listServers({ json }: OutputOptions): Promise<void> {
  const servers = await readPages<ServerRow>(async (after) => {
    return (await requestGateway<{ mcpServerConfigs: Page<ServerRow> }>('listServers', { after })).mcpServerConfigs;
  });
  if (json === true) return printJson(servers);
  for (const { slug, url, authType, availability, enabled, reachability } of servers) {
    const { state, problem } = reachability;
    const health = `${state}${problem === null ? '' : ` (${problem})`}`;
    print([slug, enabled ? 'enabled' : 'disabled', availability, authType, health, url].join('  '));
  }
}

/** Tests a server and prints each step. Exits with 1 if one failed. */
export async function testServer(slug: string, { json }: OutputOptions): Promise<void> {
  const { testMcpServer: test } = await requestGateway<{ testMcpServer: { isOk: boolean; steps: TestStep[] } }>(
    'testServer',
    { id: await findId(slug) },
    TIMEOUT_MS,
  );
  if (!test.isOk) process.exitCode = 1;
  if (json === true) return printJson(test);
  for (const { name, outcome, ms, found, advice } of test.steps) {
    const took = outcome === 'SKIPPED' ? '' : `${ms} ms`;
    print(`${outcome.padEnd(7)}  ${name.padEnd(20)}  ${took.padStart(8)}  ${found}`);
    if (advice !== null) print(`${' '.repeat(41)}${advice}`);
  }
}

/** Prints the tools of a server as they are in the catalogue, with the decision about each. */
export async function listTools(slug: string, { json }: OutputOptions): Promise<void> {
  const tools = await readPages<ToolRow>(async (after) => {
    const { mcpServerConfig } = await requestGateway<{ mcpServerConfig: { tools: Page<ToolRow> } | null }>(
      'listTools',
      {
        slug,
        after,
      },
    );
    if (mcpServerConfig === null) throw noSuchServer(slug);
    return mcpServerConfig.tools;
  });
  if (json === true) return printJson(tools);
  if (tools.length === 0)
    print(`No tools are known yet. gatehouse servers test ${slug} shows what the server answers.`);
  for (const { name, description, inputSchema, decision, warnings } of tools) {
    print(`${decision.padEnd(11)}  ${toVisible(name)}${describeArguments(inputSchema)}`);
    if (warnings.length > 0) print(`${' '.repeat(13)}! ${warnings.join(', ')}`);
    const summary = firstLine(description ?? '');
    if (summary !== '') print(`${' '.repeat(13)}${summary}`);
  }
}

/**
 * Calls a tool as the bootstrap admin, and prints its result. Exits with 1 if the tool failed or was not called.
 *
 * @param options.arguments a JSON object, or `-` to read it from the standard input; absent for none
 */
export async function callTool(
  slug: string,
  tool: string,
  { json, arguments: given }: OutputOptions & { arguments?: string },
): Promise<void> {
  const args = parseArguments(given === '-' ? await readStream(process.stdin) : (given ?? '{}'));
  const input = { configId: await findId(slug), tool, arguments: args };
  const { callMcpTool } = await requestGateway<{ callMcpTool: { result: ToolResult } }>(
    'callTool',
    { input },
    TIMEOUT_MS,
  );
  const { result } = callMcpTool;
  if (result.isError) process.exitCode = 1;
  if (json === true) return printJson(result);
  const { content, structuredContent, code, ms } = result;
  if (code !== null) throw new CommandError(`${code}: ${formatContent(content)}`);
  const lines = formatContent(content);
  if (lines !== '') print(lines);
  else if (structuredContent !== null) printJson(structuredContent);
  process.stderr.write(`${result.isError ? 'The tool says that it failed' : 'Done'}, after ${ms} ms.\n`);
}

function parseArguments(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  throw new CommandError('The arguments are no JSON object such as {"path": "/tmp"}.');
}

async function findId(slug: string): Promise<string> {
  const { mcpServerConfig } = await requestGateway<{ mcpServerConfig: { id: string } | null }>('findServer', { slug });
  if (mcpServerConfig === null) throw noSuchServer(slug);
  return mcpServerConfig.id;
}

function noSuchServer(slug: string): CommandError {
  return new CommandError(`No server has the slug ${toVisible(slug)}. \`gatehouse servers list\` shows them.`);
}

async function readPages<Node>(readPage: (after: string | null) => Promise<Page<Node>>): Promise<Node[]> {
  const all: Node[] = [];
  let after: string | null = null;
  do {
    const { nodes, pageInfo }: Page<Node> = await readPage(after);
    all.push(...nodes);
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  return all;
}
