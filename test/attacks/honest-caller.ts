import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

// A program for `fork`: a well-behaved client in a process of its own, so that the attacker's work in the test process
// does not count as the gateway's delay. It calls every few milliseconds and reports how long each call took.

/** What the parent sends: calls to make from now on, or what was measured so far, or the end. */
export type HonestOrder = { kind: 'start'; port: number; token: string; controlPort: number } | { kind: 'take' };

/** What the parent receives for `take`. */
export interface HonestReport {
  /** Durations of calls to the gateway, in milliseconds. */
  durations: number[];
  /** Durations of calls to the server that nobody attacks. */
  controlDurations: number[];
  /** What went wrong, such as `500 …`. */
  failures: string[];
}

const PAUSE_MS = 15;
const TIMEOUT_MS = 60_000;
const LIST = JSON.stringify({
  query: '{ viewer { id } mcpServerConfigs(first: 20) { totalCount nodes { id slug displayName viewerState } } }',
});

const agent = new Agent({ keepAlive: true });
const newReport = (): HonestReport => ({ durations: [], controlDurations: [], failures: [] });
let report = newReport();

function call(port: number, path: string, token?: string, body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent, timeout: TIMEOUT_MS }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    sent.end(body);
  });
}

async function measure(
  name: string,
  work: () => Promise<{ status: number; text: string }>,
  { durations, failures }: { durations: number[]; failures: string[] } = report,
): Promise<void> {
  const startedAt = performance.now();
  try {
    const { status, text } = await work();
    if (status !== 200 || text.includes('"errors"')) failures.push(`${name}: ${status} ${text.slice(0, 300)}`);
  } catch (error) {
    failures.push(`${name}: ${String(error)}`);
  }
  durations.push(performance.now() - startedAt);
}

async function keepCalling(port: number, token: string, controlPort: number): Promise<never> {
  for (;;) {
    await measure('the list', () => call(port, '/graphql', token, LIST));
    await measure('/healthz', () => call(port, '/healthz'));
    const { controlDurations: durations, failures } = report;
    await measure('the control', () => call(controlPort, '/'), { durations, failures });
    await delay(PAUSE_MS);
  }
}

process.on('message', (order: HonestOrder) => {
  if (order.kind === 'start') {
    void keepCalling(order.port, order.token, order.controlPort);
    return;
  }
  process.send?.(report);
  report = newReport();
});
process.on('disconnect', () => process.exit());
