import { isDeepStrictEqual } from 'node:util';
import autocannon from 'autocannon';
import type { Contestant } from './contestant.ts';

export const CONNECTIONS = 16;
/** The first answers are slower, until the engine has compiled what they need. */
const WARM_UP_SECONDS = 5;

/** What every contestant is asked. */
export interface Question {
  /** The body of the next request. */
  next(): string;
  /** Whether all bodies are the same, so that the load generator makes the request once. */
  isConstant: boolean;
  /** Reads what all contestants must agree on. @throws if the answer is not whole */
  read(answer: unknown): unknown;
}

export interface Measurement {
  name: string;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Processor time of the server's process per request; undefined where the system does not report it. */
  cpuMsPerRequest: number | undefined;
}

export interface Target {
  name: string;
  server: Pick<Contestant, 'url' | 'cpuMs'>;
  token: string;
}

/** Asks a body. @throws if the answer is not whole @returns the answer as text, and what must agree */
export async function ask(
  { name, server, token }: Target,
  question: Question,
  body = question.next(),
): Promise<{ text: string; data: unknown }> {
  const response = await fetch(server.url, { method: 'POST', headers: headersOf(token), body });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${name} answers with status ${response.status}: ${text}`);
  try {
    return { text, data: question.read(JSON.parse(text)) };
  } catch (error) {
    throw new Error(`${name} answers with ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Measures one server. Its data must equal the reference before and after.
 *
 * @param reference the body of a request, and the data that its answer must have
 * @throws if the data differs, or if any request failed
 */
export async function measure(
  target: Target,
  question: Question,
  reference: { body: string; data: unknown },
  seconds: number,
): Promise<Measurement> {
  const setupRequest = <Request extends object>(request: Request) => ({ ...request, body: question.next() });
  const load = (duration: number) =>
    autocannon({
      url: target.server.url,
      method: 'POST',
      headers: headersOf(target.token),
      connections: CONNECTIONS,
      duration,
      ...(question.isConstant ? { body: question.next() } : { requests: [{ setupRequest }] }),
    });
  const assertSameData = async (): Promise<void> => {
    const { data } = await ask(target, question, reference.body);
    if (!isDeepStrictEqual(data, reference.data)) throw new Error(`${target.name} answers with other data`);
  };
  await assertSameData();
  await load(WARM_UP_SECONDS);
  const cpuBefore = await target.server.cpuMs();
  const result = await load(seconds);
  const cpuAfter = await target.server.cpuMs();
  await assertSameData();
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${target.name}: ${failed} of ${result.requests.total} requests failed`);
  if (result.requests.total === 0) throw new Error(`${target.name} answered nothing in ${seconds} s`);
  return {
    name: target.name,
    requestsPerSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    cpuMsPerRequest:
      cpuBefore === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpuBefore) / result.requests.total,
  };
}

function headersOf(token: string): Record<string, string> {
  return { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${token}` };
}
