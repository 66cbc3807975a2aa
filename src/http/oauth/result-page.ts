import { randomBytes } from 'node:crypto';
import { html, raw } from 'hono/html';

/** How a connection ended, as the popup that it happened in tells it. */
export interface FlowResult {
  status: 200 | 400 | 401 | 403 | 404 | 500 | 502;
  title: string;
  /** A sentence or two for the user. Escaped here: part of it may come from a provider. */
  text: string;
  /** What the window that opened the popup is told; absent when nothing was connected. */
  completed?: { serverId: string; origin: string };
}

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 1.5rem; box-sizing: border-box; }
  main { max-width: 32rem; }
  h1 { font-size: 1.25rem; margin: 0 0 .5rem; }
  p { margin: 0; overflow-wrap: anywhere; }
`;

/** Tells the window that opened the popup, and nobody else, and closes. Without an opener the text is what is left. */
const SCRIPT = `
  const { serverID, origin } = JSON.parse(document.getElementById('result').textContent);
  if (window.opener) window.opener.postMessage({ type: 'mcp-oauth2-complete', serverID }, origin);
  window.close();
`;

/** The page at the end of a connection: complete in itself, and nothing in it runs but its own script. */
export async function createResultPage({ status, title, text, completed }: FlowResult): Promise<Response> {
  const nonce = randomBytes(16).toString('base64');
  const script =
    completed === undefined
      ? ''
      : html`<script type="application/json" id="result">${toScriptText({ serverID: completed.serverId, origin: completed.origin })}</script>
    <script nonce="${nonce}">${raw(SCRIPT)}</script>`;
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
      <p>${text}</p>
    </main>
    ${script}
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

/** JSON that cannot end the script element it stands in. */
function toScriptText(value: unknown) {
  return raw(JSON.stringify(value).replaceAll('<', '\\u003c'));
}
