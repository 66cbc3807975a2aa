import { randomBytes } from 'node:crypto';
import { html, raw } from 'hono/html';

/** A piece of HTML whose values are escaped. */
type Html = ReturnType<typeof html>;

const STYLE = `
  :root {
    color-scheme: light dark;
    font: 16px/1.5 system-ui, sans-serif;
    --ink: light-dark(#1b2033, #e6e8f0);
    --paper: light-dark(#f4f5f9, #14171f);
    --accent: light-dark(#3b5bdb, #748ffc);
    --on-accent: light-dark(#fff, #10131a);
  }
  body {
    margin: 0;
    min-height: 100vh;
    display: grid;
    place-content: center;
    padding: 1.5rem;
    box-sizing: border-box;
    background: var(--paper);
    color: var(--ink);
  }
  main { max-width: 32rem; }
  h1 { font-size: 1.25rem; line-height: 1.3; margin: 0 0 .5rem; overflow-wrap: anywhere; }
  p { margin: 0; overflow-wrap: anywhere; }
  p + p { margin-top: 1rem; }
  .button {
    display: inline-block;
    padding: .625rem 1.5rem;
    border-radius: .375rem;
    background: var(--accent);
    color: var(--on-accent);
    font-weight: 600;
    text-decoration: none;
  }
  .button:hover { filter: brightness(1.1); }
  .button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
`;

/**
 * Creates a page of the connection flow. It loads nothing, cannot be framed, and runs only scripts with the nonce.
 *
 * @param toContent what stands below the title
 */
export async function createPage(status: number, title: string, toContent: (nonce: string) => Html): Promise<Response> {
  const nonce = randomBytes(16).toString('base64');
  const page = await html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>${title} · Gatehouse</title>
    <style nonce="${nonce}">${raw(STYLE)}</style>
  </head>
  <body>
    <main>
      <h1>${title}</h1>
      ${toContent(nonce)}
    </main>
  </body>
</html>
`;
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'`;
  return new Response(page.toString(), {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': `${policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    },
  });
}
