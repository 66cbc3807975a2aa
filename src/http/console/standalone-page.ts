import { html, raw } from 'hono/html';
import type { PageFiles } from './page-files.ts';

/** A piece of HTML whose values are escaped. */
export type Html = ReturnType<typeof html>;

/** A page that the gateway writes itself, and that works without the console. */
export interface StandalonePage {
  title: string;
  /** What stands below the title. */
  content: Html;
  /** What a script of the build reads, if the page has one. */
  script?: { url: string; dataId: string; data: unknown };
}

/** Writes the page. It loads its style, the icon, and the script if it has one. */
export function renderStandalonePage(files: PageFiles, { title, content, script }: StandalonePage): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>${title} · Gatehouse</title>
    <link rel="icon" type="image/svg+xml" href="${files.icon}">
    <link rel="stylesheet" href="${files.style}">${
      script &&
      html`
    <script type="application/json" id="${script.dataId}">${toScriptText(script.data)}</script>
    <script type="module" src="${script.url}"></script>`
    }
  </head>
  <body>
    <main>
      <img src="${files.icon}" alt="" width="48" height="48">
      <h1>${title}</h1>
      ${content}
    </main>
  </body>
</html>
`;
}

/**
 * The Content-Security-Policy of such a page: nothing inline, nothing from other hosts, no framing. Only a page that has a
 * script may run scripts at all.
 */
export function toStandalonePolicy({ hasScript, hasForm }: { hasScript: boolean; hasForm: boolean }): string {
  return [
    "default-src 'none'",
    ...(hasScript ? ["script-src 'self'"] : []),
    "style-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    `form-action ${hasForm ? "'self'" : "'none'"}`,
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/** Serializes JSON so that it cannot close the surrounding script element. */
export function toScriptText(value: unknown) {
  return raw(JSON.stringify(value).replaceAll('<', '\\u003c'));
}
