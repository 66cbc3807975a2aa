import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { hashDocument, isDocumentHash, parseDocumentId } from './document-hash.ts';

/** A document of a manifest. */
export interface ManifestDocument {
  /** The SHA-256 of the text. */
  hash: string;
  text: string;
  /** Where it is from, for messages about it. */
  place: string;
}

/** The length of a SHA-1, which GraphQL Code Generator writes unless it is told otherwise. */
const SHA_1 = /^[0-9a-f]{40}$/;
const MAX_SHOWN_KEY = 80;
const { maxBytes: MAX_BYTES } = CACHE_BOUNDS.trustedDocuments;

/**
 * Reads the manifest in a file, or all in the `.json` files of a folder. A manifest is a JSON object with the text of each
 * document under its SHA-256, as the client preset of GraphQL Code Generator writes it.
 *
 * @param problems gets what is wrong
 */
export function readManifests(place: string, problems: string[]): ManifestDocument[] {
  try {
    const files = listFiles(place);
    if (files.length === 0) problems.push(`${place}: the folder has no file whose name ends in .json.`);
    // Not even read: a wrong path may lead to a file of any size.
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
    if (bytes > MAX_BYTES) {
      problems.push(`${place}: has more than ${MAX_BYTES / 1_000_000} MB.`);
      return [];
    }
    return files.flatMap((file) => parseManifest(readFileSync(file, 'utf8'), file, problems));
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    problems.push(`${place}: cannot be read (${code}).`);
    return [];
  }
}

function listFiles(place: string): string[] {
  if (!statSync(place).isDirectory()) return [place];
  const names = readdirSync(place).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => path.join(place, name));
}

/** @param file where the text is from, for messages */
function parseManifest(text: string, file: string, problems: string[]): ManifestDocument[] {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    problems.push(`${file}: is not JSON.`);
    return [];
  }
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) {
    problems.push(`${file}: must be a JSON object with the text of each document under its SHA-256.`);
    return [];
  }
  return Object.entries(manifest).flatMap(([key, document]) => {
    const place = `${file}: ${key.slice(0, MAX_SHOWN_KEY)}`;
    const problem = findProblem(key, document);
    if (problem === undefined) return [{ hash: toHash(key), text: document as string, place }];
    problems.push(`${place}: ${problem}`);
    return [];
  });
}

function findProblem(key: string, document: unknown): string | undefined {
  if (typeof document !== 'string') return 'is not the text of a document.';
  if (SHA_1.test(key)) {
    return "is a SHA-1. Write the manifest with `hashAlgorithm: 'sha256'` in `persistedDocuments` of the client preset.";
  }
  const hash = toHash(key);
  if (!isDocumentHash(hash)) return 'is not a SHA-256 in lower-case hex, with or without "sha256:" before it.';
  if (hashDocument(document) !== hash) return 'is not the SHA-256 of this text.';
  return undefined;
}

function toHash(key: string): string {
  return parseDocumentId(key) ?? key;
}
