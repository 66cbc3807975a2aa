import { type Context, Hono } from 'hono';
import { findCoding } from '../content-coding.ts';
import type { HttpEnv } from '../context.ts';
import { prefersHtml } from '../prefers-html.ts';
import type { ConsoleFile, ConsoleFiles } from './console-files.ts';

/** The path prefix of the console's files, with a trailing slash. */
const ASSETS_PATH = '/assets/';

/** The paths of the console's pages, besides `/`. */
const PAGES = ['servers', 'chats', 'account', 'admin'] as const;

/** Only files of the gateway, nothing inline, no framing, and no strings that become markup or scripts. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/**
 * The routes of the console: its files, and the page that starts it. They are public, because they contain nothing that
 * is stored: the console asks the graph, with the session of the browser.
 */
export function createConsoleRoutes({ page, assets }: ConsoleFiles): Hono<HttpEnv> {
  const routes = new Hono<HttpEnv>();

  routes.get(`${ASSETS_PATH}:name`, (c) => {
    const file = assets.get(c.req.param('name'));
    if (file === undefined) return c.notFound();
    c.header('cache-control', 'public, max-age=31536000, immutable');
    c.header('vary', 'Accept-Encoding');
    return send(c, file);
  });

  // Programs get links at `/`, and nothing at the other paths.
  const paths = ['/', ...PAGES.flatMap((name) => [`/${name}`, `/${name}/*`])];
  for (const path of paths) {
    routes.get(path, (c, next) => {
      if (!prefersHtml(c)) return path === '/' ? next() : c.notFound();
      c.header('content-security-policy', PAGE_POLICY);
      // With `no-referrer`, browsers would send the form that signs out with the origin "null".
      c.header('referrer-policy', 'same-origin');
      c.header('vary', 'Accept, Accept-Encoding');
      return send(c, page);
    });
  }

  return routes;
}

/** Sends a file in the best coding that the browser takes. */
function send(c: Context<HttpEnv>, file: ConsoleFile): Response {
  c.header('content-type', file.contentType);
  const coding = findCoding(c);
  if (coding === undefined) return c.body(file.plain);
  c.header('content-encoding', coding);
  return c.body(file[coding]);
}
