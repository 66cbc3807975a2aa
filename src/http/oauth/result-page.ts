import { randomBytes } from 'node:crypto';
import { html, raw } from 'hono/html';

/** The outcome of an OAuth flow, as shown in the popup. */
export interface FlowResult {
  status: 200 | 400 | 401 | 403 | 404 | 500 | 502;
  title: string;
  /** One or two sentences for the user. Escaped here, because part of it may come from the provider. */
  text: string;
  /** The message to the window that opened the popup; absent if the flow failed. */
  completed?: { serverId: string; origin: string };
}

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 1.5rem; box-sizing: border-box; }
  main { max-width: 32rem; }
  h1 { font-size: 1.25rem; margin: 0 0 .5rem; }
  p { margin: 0; overflow-wrap: anywhere; }
`;

/** Sends the result to the window that opened the popup, only if it has the expected origin, and closes the popup. */
const SCRIPT = `
  const { serverID, origin } = JSON.parse(document.getElementById('result').textContent);
  if (window.opener) window.opener.postMessage({ type: 'mcp-oauth2-complete', serverID }, origin);
  window.close();
`;

/** Creates the page at the end of an OAuth flow. It loads nothing, and its policy allows only its own script. */
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

/** Serializes JSON so that it cannot close the surrounding script element. */
function toScriptText(value: unknown) {
  return raw(JSON.stringify(value).replaceAll('<', '\\u003c'));
}
