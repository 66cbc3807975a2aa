import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import type { HttpEnv } from '../context.ts';

/** The path prefix of the files, with a trailing slash. */
const FILES_PATH = '/auth/assets/';

/** The folder is beside `src` and `dist`. */
const FOLDER = new URL('../../../assets/', import.meta.url);

const CONTENT_TYPES = { css: 'text/css; charset=utf-8', svg: 'image/svg+xml; charset=utf-8' } as const;

/** The files that the pages load. */
export interface PageFiles {
  /** URL paths. They include a hash of the content, so that browsers can keep the files for ever. */
  style: string;
  icon: string;
}

/** Reads the files of the pages around signing in and out, and creates their public routes. */
export function createPageFiles(): { files: PageFiles; routes: Hono<HttpEnv> } {
  const routes = new Hono<HttpEnv>();
  const serve = (base: string, extension: keyof typeof CONTENT_TYPES): string => {
    const text = readFileSync(new URL(`${base}.${extension}`, FOLDER), 'utf8');
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const path = `${FILES_PATH}${base}.${hash}.${extension}`;
    routes.get(path, (c) => {
      c.header('content-type', CONTENT_TYPES[extension]);
      c.header('cache-control', 'public, max-age=31536000, immutable');
      return c.body(text);
    });
    return path;
  };
  return { files: { style: serve('sign-in', 'css'), icon: serve('icon', 'svg') }, routes };
}
