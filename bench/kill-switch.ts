import { createConfig, setEnabled } from './admin.ts';
import type { Contestant } from './contestant.ts';

const ROUNDS = 300;
/** How long a round may take before the benchmark gives up. */
const MAX_ROUND_MS = 10_000;

/**
 * Measures how long another replica still shows a config after an admin was told that it is disabled. Checks that the
 * replica that received the write never does.
 *
 * @param replicas share one database; the first one gets the writes
 * @param token of a member
 * @throws if the first replica still shows the config, or the other one does so for seconds
 */
export async function measureKillSwitch(
  replicas: readonly [Contestant, Contestant],
  { adminToken, token }: { adminToken: string; token: string },
  signal: AbortSignal,
): Promise<string> {
  const [written, other] = replicas;
  const id = await createConfig(written.url, adminToken, 'kill-switch', false);
  const isShown = async ({ url }: Contestant): Promise<boolean> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: `{ mcpServerConfig(id: "${id}") { id } }` }),
    });
    const { data } = (await response.json()) as { data: { mcpServerConfig: object | null } };
    return data.mcpServerConfig !== null;
  };
  const waitUntil = async (wanted: boolean, from: number): Promise<number> => {
    for (;;) {
      signal.throwIfAborted();
      const askedAt = performance.now();
      if ((await isShown(other)) === wanted) return Math.max(askedAt - from, 0);
      if (performance.now() - from > MAX_ROUND_MS) throw new Error('the other replica does not notice');
    }
  };
  const delays: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await setEnabled(written.url, adminToken, id, true);
    await waitUntil(true, performance.now());
    await setEnabled(written.url, adminToken, id, false);
    const answeredAt = performance.now();
    const [delay, isStillThere] = await Promise.all([waitUntil(false, answeredAt), isShown(written)]);
    if (isStillThere) throw new Error('the replica that was written to shows what it said is switched off');
    delays.push(delay);
  }
  delays.sort((a, b) => a - b);
  const at = (share: number) => `${(delays[Math.ceil(share * delays.length) - 1] ?? Number.NaN).toFixed(1)} ms`;
  return `Kill switch, ${ROUNDS} times: gone from the other replica's answers ${at(0.5)} (median), ${at(0.99)} (p99), ${at(1)} (longest) after the admin's answer; from the same replica's at once.`;
}
