import type { PageFiles } from '../console/page-files.ts';
import { renderStandalonePage, type StandalonePage, toStandalonePolicy } from '../console/standalone-page.ts';

/** Creates a page of the connection flow. It cannot be framed or cached, and has no forms. */
export async function createPage(files: PageFiles, status: number, page: StandalonePage): Promise<Response> {
  const text = await renderStandalonePage(files, page);
  return new Response(text.toString(), {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': toStandalonePolicy({ hasScript: page.script !== undefined, hasForm: false }),
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    },
  });
}
