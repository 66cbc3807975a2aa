import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Config, ConfigError } from '../../config.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { PACKAGE_FOLDER } from '../../package.ts';
import { hashDocument } from './document-hash.ts';
import { findDocumentProblems } from './document-problems.ts';
import { type ManifestDocument, readManifests } from './read-manifests.ts';

/** Documents that the gateway knows by their hash from the start. */
export interface TrustedDocuments {
  /** Whether all other documents are refused. */
  readonly isOnly: boolean;
  /** The text of each by its hash. */
  readonly byHash: ReadonlyMap<string, string>;
  /** An estimate of the memory that they need. */
  readonly bytes: number;
}

/** The manifest of the console. `npm run build` makes it. */
const CONSOLE_MANIFEST = fileURLToPath(new URL('dist/console/documents.json', PACKAGE_FOLDER));

const { maxEntries: MAX_DOCUMENTS, maxBytes: MAX_BYTES } = CACHE_BOUNDS.trustedDocuments;
/** A string with characters beyond Latin-1 needs two bytes for each. */
const CHARACTER_BYTES = 2;
/** What a document needs beside its text: its hash, and its place in the map. */
const ENTRY_BYTES = 300;
const MAX_TOLD = 100;

/**
 * Loads the documents of the console, and those that the operator trusts.
 *
 * @param more texts of documents that are trusted, too: those of the commands
 * @throws ConfigError with all problems of the operator's manifests
 */
export function loadTrustedDocuments(
  { trustedDocuments: place, trustedDocumentsOnly: isOnly }: Pick<Config, 'trustedDocuments' | 'trustedDocumentsOnly'>,
  more: readonly string[] = [],
): TrustedDocuments {
  const problems: string[] = [];
  const given = place === undefined ? [] : readManifests(place, problems);
  for (const document of given) {
    problems.push(...findDocumentProblems(document.text).map((problem) => `${document.place}: ${problem}`));
  }
  const commands = more.map((text) => [hashDocument(text), text] as const);
  const byHash = new Map([...commands, ...[...loadOwn(), ...given].map(({ hash, text }) => [hash, text] as const)]);
  const bytes = [...byHash.values()].reduce((sum, text) => sum + ENTRY_BYTES + CHARACTER_BYTES * text.length, 0);
  if (byHash.size > MAX_DOCUMENTS) problems.push(`${place}: has more than ${MAX_DOCUMENTS} documents.`);
  if (bytes > MAX_BYTES) problems.push(`${place}: needs more than ${MAX_BYTES / 1_000_000} MB of memory.`);
  if (problems.length > 0) throw new ConfigError(tell(problems).map((each) => `GATEHOUSE_TRUSTED_DOCUMENTS: ${each}`));
  return { isOnly, byHash, bytes };
}

let own: ManifestDocument[] | undefined;

/** The console's documents, once for the process. The build has checked them against the schema. */
function loadOwn(): ManifestDocument[] {
  own ??= existsSync(CONSOLE_MANIFEST) ? readManifests(CONSOLE_MANIFEST, []) : [];
  return own;
}

function tell(problems: readonly string[]): string[] {
  const more = problems.length - MAX_TOLD;
  return more > 0 ? [...problems.slice(0, MAX_TOLD), `and ${more} more problems.`] : [...problems];
}
