import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigRow, Ledger } from './feed-ledger.ts';
import type { Writers } from './feed-writers.ts';

/** How long an admin waits for an answer. */
const ANSWER_MS = 10_000;
const BETWEEN_MS = 50;

/** Starts writers that use the API as admins do: GraphQL and REST, alternating between the replicas. */
export function startApiWriters(options: {
  urls: readonly string[];
  token: string;
  ledger: Ledger;
  count: number;
}): Writers & { writes(): number } {
  const { urls, token, ledger, count } = options;
  let isStopped = false;
  let writes = 0;

  const send = async (url: string, method: string, body: object): Promise<unknown> => {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const answer = (await response.json()) as { data?: unknown; errors?: unknown };
    if (!response.ok || answer.errors !== undefined) throw new Error(JSON.stringify(answer));
    return answer.data;
  };

  /** One config from creation to deletion; given up when an answer does not arrive. */
  const live = async (url: string): Promise<void> => {
    const graphql = (query: string) => send(`${url}/graphql`, 'POST', { query });
    const slug = `api-${randomUUID()}`;
    const nextDescription = () => `api ${randomUUID()}`;
    const created = { version: 1, enabled: false, description: nextDescription() };
    const config = `displayName: "A", slug: "${slug}", url: "https://a.example.com/", description: "${created.description}"`;
    const find = (rows: readonly ConfigRow[]) => rows.find((row) => row.slug === slug);
    ledger.leaveOpen((rows) => {
      // Either everything known is committed, or the outcome of its first step is open.
      const row = find(rows);
      return known === undefined && row !== undefined ? [{ id: row.id, state: created }] : [];
    });
    let known: { id: string; version: number } | undefined;
    const answer = (await graphql(`mutation { createMcpServerConfig(input: { ${config} }) { id } }`)) as {
      createMcpServerConfig: { id: string };
    };
    const { id } = answer.createMcpServerConfig;
    known = { id, version: 1 };
    ledger.commit([{ id, state: created }]);
    writes += 1;
    for (let left = randomInt(1, 8); left > 0 && !isStopped; left -= 1) {
      await delay(BETWEEN_MS);
      const state = { version: known.version + 1, enabled: false, description: nextDescription() };
      let isAnswered = false;
      ledger.leaveOpen((rows) => (!isAnswered && find(rows)?.version === state.version ? [{ id, state }] : []));
      const { description } = state;
      if (left % 2 === 0) await send(`${url}/api/experimental/mcp/servers/${id}`, 'PATCH', { description });
      else
        await graphql(
          `mutation { updateMcpServerConfig(id: "${id}", patch: { description: "${description}" }) { id } }`,
        );
      isAnswered = true;
      known.version = state.version;
      ledger.commit([{ id, state }]);
      writes += 1;
    }
    if (isStopped) return;
    let isAnswered = false;
    ledger.leaveOpen((rows) => (!isAnswered && find(rows) === undefined ? [{ id, state: null }] : []));
    await graphql(`mutation { deleteMcpServerConfig(id: "${id}") { id } }`);
    isAnswered = true;
    ledger.commit([{ id, state: null }]);
    writes += 1;
  };

  const write = async (first: number): Promise<void> => {
    for (let turn = first; !isStopped; turn += 1) {
      await live(urls[turn % urls.length] ?? '').catch(() => undefined);
      await delay(BETWEEN_MS);
    }
  };
  const running = Promise.all(Array.from({ length: count }, (_, index) => write(index)));
  return {
    writes: () => writes,
    async stop() {
      isStopped = true;
      await running;
    },
  };
}
