/** The part of `autocannon` that the benchmarks use. The package has no types. */
declare module 'autocannon' {
  export interface Options {
    url: string;
    method: 'POST';
    headers: Record<string, string>;
    body?: string;
    /** Changes each request before it is sent. */
    requests?: readonly { setupRequest<Request extends object>(request: Request): Request }[];
    connections: number;
    /** Seconds. */
    duration: number;
  }

  export interface Result {
    /** Answers per second, sampled every second. */
    requests: { average: number; total: number };
    /** Milliseconds. */
    latency: { p50: number; p99: number };
    non2xx: number;
    errors: number;
    timeouts: number;
  }

  export default function autocannon(options: Options): Promise<Result>;
}
