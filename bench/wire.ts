import { request } from 'node:http';
import { openBenchDatabase } from './bench-database.ts';
import { runContest } from './contest.ts';
import { LIST } from './list-query.ts';

// What a client that asks again and again costs on the wire. `npm run bench -- wire`

const POLLS = 200;

interface Poll {
  status: number;
  /** The bytes of the body on the wire, and of the whole head. */
  body: number;
  head: number;
  etag: string | undefined;
}

function poll(url: string, headers: Record<string, string>): Promise<Poll> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers }, (answer) => {
      let body = 0;
      answer.on('data', (chunk: Buffer) => {
        body += chunk.length;
      });
      answer.on('error', reject);
      answer.on('end', () => {
        const head = answer.rawHeaders.join('  \r\n').length;
        resolve({ status: answer.statusCode ?? 0, body, head, etag: answer.headers.etag });
      });
    });
    sent.on('error', reject).end();
  });
}

/** Measures the bytes and the time of a poll of the list, by what the client accepts. */
export async function benchWire({ seconds, signal }: { seconds: number; signal: AbortSignal }): Promise<string> {
  const database = await openBenchDatabase();
  const lines = ['| a poll of the list | status | head | body | median time |', '|---|--:|--:|--:|--:|'];
  try {
    await runContest({
      database,
      seconds: Math.min(seconds, 1),
      signal,
      against: [],
      toQuestion: () => LIST,
      async afterwards({ url }, { token }) {
        const { query } = JSON.parse(LIST.next()) as { query: string };
        const target = `${url}?query=${encodeURIComponent(query)}`;
        const authorization = `Bearer ${token}`;
        const { etag = '' } = await poll(target, { authorization, 'accept-encoding': 'br' });
        for (const [name, headers] of [
          ['as it is', { 'accept-encoding': 'identity' }],
          ['gzip', { 'accept-encoding': 'gzip' }],
          ['br', { 'accept-encoding': 'br' }],
          ['br, with If-None-Match', { 'accept-encoding': 'br', 'if-none-match': etag }],
        ] as const) {
          const times: number[] = [];
          let last: Poll | undefined;
          for (let round = 0; round < POLLS; round += 1) {
            const begun = performance.now();
            last = await poll(target, { authorization, ...headers });
            times.push(performance.now() - begun);
          }
          const median = times.toSorted((a, b) => a - b)[POLLS / 2] ?? Number.NaN;
          lines.push(`| ${name} | ${last?.status} | ${last?.head} B | ${last?.body} B | ${median.toFixed(2)} ms |`);
        }
      },
    });
  } finally {
    await database.remove();
  }
  return lines.join('\n');
}
