import { sealFor } from '../../src/data/sealing/seal-for.ts';

/** The server of rows that tests write into the database by themselves. */
export const SERVER_URL = 'https://mcp.example.com/';

/** A secret to write to a sealed column, which may be sent to this URL. */
export function sealText(text: string, url = SERVER_URL): string {
  return sealFor(text, [url]);
}
