import { isDeepStrictEqual } from 'node:util';
import autocannon from 'autocannon';
import type { Contestant } from './contestant.ts';
import { describeIncomplete, LIST_REQUEST } from './list-query.ts';

export const CONNECTIONS = 16;
const WARM_UP_SECONDS = 2;

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

/** The answer to the list query as text. @throws if it is not the whole list */
export async function askForList({ name, server, token }: Target): Promise<string> {
  const response = await fetch(server.url, { method: 'POST', headers: headersOf(token), body: LIST_REQUEST });
  const text = await response.text();
  const problem = response.status === 200 ? describeIncomplete(JSON.parse(text)) : `status ${response.status}: ${text}`;
  if (problem !== undefined) throw new Error(`${name} answers with ${problem}`);
  return text;
}

/**
 * Measures one server. Its data must equal the reference before and after.
 *
 * @param reference an answer with the expected data
 * @throws if the data differs, or if any request failed
 */
export async function measure(target: Target, reference: string, seconds: number): Promise<Measurement> {
  const load = (duration: number) =>
    autocannon({
      url: target.server.url,
      method: 'POST',
      headers: headersOf(target.token),
      body: LIST_REQUEST,
      connections: CONNECTIONS,
      duration,
    });
  await assertSameData(target, reference);
  await load(WARM_UP_SECONDS);
  const cpuBefore = await target.server.cpuMs();
  const result = await load(seconds);
  const cpuAfter = await target.server.cpuMs();
  await assertSameData(target, reference);
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

async function assertSameData(target: Target, reference: string): Promise<void> {
  const answer: unknown = JSON.parse(await askForList(target));
  if (!isDeepStrictEqual(answer, JSON.parse(reference))) throw new Error(`${target.name} answers with other data`);
}

function headersOf(token: string): Record<string, string> {
  return { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${token}` };
}
