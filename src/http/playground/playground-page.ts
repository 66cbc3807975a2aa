import { html } from 'hono/html';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { PageFiles } from '../console/page-files.ts';
import { toScriptText } from '../console/standalone-page.ts';
import type { Assets } from './assets.ts';
import { examplesFor } from './examples.ts';

/** The settings that the page passes to its script. */
export interface PlaygroundSettings {
  /** The signed-in user. The script clears data that another user left in the tab. */
  userId: string | undefined;
  /** URLs of the editor's workers, by Monaco's worker label. */
  workers: Readonly<Record<string, string>>;
  /** The initial tabs in GraphiQL's format: `variables` is a string of JSON. */
  tabs: { query: string; variables: string | null }[];
}

/**
 * Renders the playground for the viewer: a header bar, and the element that GraphiQL renders into. Its own style and script
 * are of the console's build (`console/src/standalone/`), and GraphiQL comes from its package.
 */
export async function renderPlaygroundPage(
  { assets, pageFiles }: { assets: Assets; pageFiles: PageFiles },
  viewer: Viewer,
) {
  const { icon, playgroundStyle, playgroundScript } = pageFiles;
  const [graphiqlStyle, graphiql] = await Promise.all([assets.urlOf('graphiql.css'), assets.urlOf('graphiql.js')]);
  const settings: PlaygroundSettings = {
    userId: viewerUserId(viewer),
    workers: {
      editorWorkerService: await assets.urlOf('editor-worker.js'),
      json: await assets.urlOf('json-worker.js'),
      graphql: await assets.urlOf('graphql-worker.js'),
    },
    tabs: examplesFor(viewer).map(({ query, variables }) => ({
      query,
      variables: variables === undefined ? null : JSON.stringify(variables, null, 2),
    })),
  };
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>Playground · Gatehouse</title>
    <link rel="icon" type="image/svg+xml" href="${icon}">
    <link rel="stylesheet" href="${graphiqlStyle}">
    <link rel="stylesheet" href="${playgroundStyle}">
    <script type="application/json" id="settings">${toScriptText(settings)}</script>
    <script src="${graphiql}" defer></script>
    <script type="module" src="${playgroundScript}"></script>
  </head>
  <body>
    <header id="bar">
      <img src="${icon}" alt="" width="24" height="24">
      <h1>Gatehouse</h1>
      <a href="/">Console</a>
      <p id="viewer" role="status"></p>
      <button id="sign-out" type="button">Sign out</button>
    </header>
    <main id="playground">
      <noscript><p>The playground needs JavaScript.</p></noscript>
    </main>
  </body>
</html>
`;
}
