import { html } from 'hono/html';
import type { PageFiles } from '../console/page-files.ts';
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

/**
 * Creates the page at the end of an OAuth flow. After a success, its script tells the window that opened the popup, and
 * closes the popup. A page about a failure runs no scripts: part of its text may come from the provider.
 */
export function createResultPage(files: PageFiles, { status, title, text, completed }: FlowResult): Promise<Response> {
  const script = completed && {
    url: files.connectedScript,
    dataId: 'result',
    data: { message: { type: 'mcp-oauth2-complete', serverID: completed.serverId }, origin: completed.origin },
  };
  return createPage(files, status, { title, content: html`<p>${text}</p>`, ...(script && { script }) });
}
