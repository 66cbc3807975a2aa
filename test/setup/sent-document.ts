import { readFileSync } from 'node:fs';
import type { Request } from 'playwright-core';

let documents: Readonly<Record<string, string>> | undefined;

/** The text of the document that a page of the console asks the graph for, also if it sends only the hash. Empty if it sends none. */
export function findSentDocument(request: Request): string {
  const body = request.postDataJSON() as SentBody | null;
  const hash = body?.extensions?.persistedQuery?.sha256Hash;
  return body?.query || (hash === undefined ? '' : findByHash(hash));
}

interface SentBody {
  query?: string;
  extensions?: { persistedQuery?: { sha256Hash: string } };
}

function findByHash(hash: string): string {
  documents ??= JSON.parse(
    readFileSync(new URL('../../dist/console/documents.json', import.meta.url), 'utf8'),
  ) as Readonly<Record<string, string>>;
  const text = documents[`sha256:${hash}`];
  if (text === undefined) throw new Error(`the build of the console has no document with the hash ${hash}`);
  return text;
}
