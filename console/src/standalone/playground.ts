/**
 * The script of the playground: starts GraphiQL with the example tabs, shows who is signed in, and signs out.
 *
 * Two GraphiQL features are turned off, because queries and variables can contain secrets. By default GraphiQL stores
 * tabs, history and headers in `localStorage`, indefinitely and for any user who signs in next. Here they are stored for
 * the lifetime of the browser tab and for the same user only, and headers are not stored. By default GraphiQL also copies
 * the query into the URL, and thus into the browser history. Here the URL does not change.
 *
 * Two GraphiQL bugs are worked around. After a reload, GraphiQL looks for the tab with the last edited query and, if no
 * query was edited, adds an empty tab; so it is given the query of the open tab. Dragging a tab fails after the window or
 * a font changed a width, and then even a click counts as a drag; so dragging is disabled (see also the style).
 */

/** The initial and stored tabs in GraphiQL's format: `variables` is a string of JSON. */
interface Tab {
  query: string;
  variables: string | null;
}

/** What the gateway writes into the page. */
interface Settings {
  userId: string;
  /** URLs of the editor's workers, by Monaco's worker label. */
  workers: Record<string, string>;
  tabs: Tab[];
}

/** What GraphiQL's script defines, and reads. It runs before this one. */
declare const YogaGraphiQL: { renderYogaGraphiQL(root: Element, options: Record<string, unknown>): void };
declare global {
  interface Window {
    MonacoEnvironment: { globalAPI: boolean; getWorkerUrl(module: string, label: string): string | undefined };
  }
}

const OWNER = 'gatehouse:user';

const find = <Kind extends HTMLElement>(id: string): Kind => document.getElementById(id) as Kind;

const settings: Settings = JSON.parse(find('settings').textContent);
const viewer = find('viewer');
const signOut = find<HTMLButtonElement>('sign-out');

if (sessionStorage.getItem(OWNER) !== settings.userId) {
  sessionStorage.clear();
  sessionStorage.setItem(OWNER, settings.userId);
}

window.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_module, label) => settings.workers[label],
};

function readOpenTab(): Tab | undefined {
  const stored: { tabs: Tab[]; activeTabIndex: number } | null = JSON.parse(
    sessionStorage.getItem('graphiql:tabState') ?? 'null',
  );
  return stored?.tabs[stored.activeTabIndex];
}

const root = find('playground');
root.addEventListener(
  'pointerdown',
  (event) => {
    if (event.target instanceof Element && event.target.closest('.graphiql-tab') !== null) event.stopPropagation();
  },
  true,
);

const openTab = readOpenTab();
YogaGraphiQL.renderYogaGraphiQL(root, {
  endpoint: '/graphql',
  title: 'GraphiQL',
  logo: '',
  defaultTabs: settings.tabs,
  query: openTab?.query,
  variables: openTab?.variables,
  storage: sessionStorage,
  shouldPersistHeaders: false,
  onEditQuery: () => {},
});

async function showViewer(): Promise<void> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query: 'query PlaygroundViewer { viewer { email role } }' }),
  });
  const { data }: { data?: { viewer: { email: string; role: string } } } = await response.json();
  if (data) viewer.textContent = `Signed in as ${data.viewer.email} (${data.viewer.role})`;
}

signOut.addEventListener('click', async () => {
  signOut.disabled = true;
  try {
    const response = await fetch('/auth/session', { method: 'DELETE' });
    // 401: the session had already ended.
    if (!response.ok && response.status !== 401) throw new Error(`status ${response.status}`);
  } catch {
    signOut.disabled = false;
    viewer.textContent = 'Signing out failed: you are still signed in.';
    return;
  }
  // Cleared only when the page unloads, because GraphiQL may still save a changed tab until then.
  addEventListener('pagehide', () => sessionStorage.clear());
  location.replace('/graphql');
});

showViewer().catch(() => {
  viewer.textContent = '';
});

export {};
