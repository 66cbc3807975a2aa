import { html, raw } from 'hono/html';
import { createPage } from './page.ts';

/** The outcome of an OAuth flow, as shown in the popup. */
export interface FlowResult {
  status: 200 | 400 | 401 | 403 | 404 | 500 | 502;
  title: string;
  /** One or two sentences for the user. Escaped here, because part of it may come from the provider. */
  text: string;
  /** The message to the window that opened the popup; absent if the flow failed. */
  completed?: { serverId: string; origin: string };
}

/** Sends the result to the window that opened the popup, only if it has the expected origin, and closes the popup. */
const SCRIPT = `
  const { serverID, origin } = JSON.parse(document.getElementById('result').textContent);
  if (window.opener) window.opener.postMessage({ type: 'mcp-oauth2-complete', serverID }, origin);
  window.close();
`;

/** Creates the page at the end of an OAuth flow. It loads nothing, and its policy allows only its own script. */
export function createResultPage({ status, title, text, completed }: FlowResult): Promise<Response> {
  return createPage(status, title, (nonce) => {
    const data = completed && { serverID: completed.serverId, origin: completed.origin };
    return html`<p>${text}</p>
      ${
        data &&
        html`<script type="application/json" id="result">${toScriptText(data)}</script>
      <script nonce="${nonce}">${raw(SCRIPT)}</script>`
      }`;
  });
}

/** Serializes JSON so that it cannot close the surrounding script element. */
function toScriptText(value: unknown) {
  return raw(JSON.stringify(value).replaceAll('<', '\\u003c'));
}
