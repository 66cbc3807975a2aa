import { createConfig, setEnabled } from './admin.ts';
import type { Contestant } from './contestant.ts';

const ROUNDS = 300;
/** How long one round may take before the benchmark gives up. */
const MAX_ROUND_MS = 10_000;

/**
 * How long after an admin's answer another replica still shows a config that was switched off, and that the one he
 * wrote to never does.
 *
 * @param replicas of one database; the first is written to
 * @param token of a member
 * @throws when the replica that was written to shows it once more, or the other for seconds
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
