/**
 * What the playground's page does: it starts GraphiQL with the example tabs, shows who is signed in, and signs out.
 *
 * Two of GraphiQL's habits are turned off, since queries and variables may hold secrets. It keeps tabs, history and
 * headers in `localStorage`, for ever and for whoever signs in next: here they live as long as the browser's tab and
 * only for the same user, and headers are not kept. It copies each query into the address as it is typed, and so into
 * the browser's history: here the address stays.
 *
 * Two of its faults are worked around. After a reload it looks for the tab with the query that was edited last and,
 * when none was, adds an empty tab: it is told which tab was open. Dragging a tab goes wrong once the window or a font
 * changed a width, and even a click counts as a drag then: tabs cannot be dragged (see also the style).
 */
export const PLAYGROUND_SCRIPT = `'use strict';

const OWNER = 'gatehouse:user';

const settings = JSON.parse(document.getElementById('settings').textContent);
const viewer = document.getElementById('viewer');
const signOut = document.getElementById('sign-out');

if (sessionStorage.getItem(OWNER) !== settings.userId) {
  sessionStorage.clear();
  sessionStorage.setItem(OWNER, settings.userId);
}

self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_module, label) => settings.workers[label],
};

function readOpenTab() {
  const { tabs, activeTabIndex } = JSON.parse(sessionStorage.getItem('graphiql:tabState')) ?? { tabs: [] };
  return tabs[activeTabIndex];
}

const root = document.getElementById('playground');
root.addEventListener('pointerdown', (event) => event.target.closest('.graphiql-tab') && event.stopPropagation(), true);

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

async function showViewer() {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query: 'query PlaygroundViewer { viewer { email role } }' }),
  });
  const { data } = await response.json();
  if (data) viewer.textContent = 'Signed in as ' + data.viewer.email + ' (' + data.viewer.role + ')';
}

signOut.addEventListener('click', async () => {
  signOut.disabled = true;
  try {
    const response = await fetch('/auth/session', { method: 'DELETE' });
    // 401: the session had ended already.
    if (!response.ok && response.status !== 401) throw new Error('status ' + response.status);
  } catch {
    signOut.disabled = false;
    viewer.textContent = 'Signing out did not work: you are still signed in.';
    return;
  }
  // Not before the page goes: until then GraphiQL may still keep a tab that changed last.
  addEventListener('pagehide', () => sessionStorage.clear());
  location.replace('/graphql');
});

showViewer().catch(() => {
  viewer.textContent = '';
});
`;
