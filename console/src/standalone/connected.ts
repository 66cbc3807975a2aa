// The end of a connection: tells the window that opened this one, only if it has the expected origin, and closes this one.

const { serverID, origin }: { serverID: string; origin: string } = JSON.parse(
  document.getElementById('result')?.textContent ?? '{}',
);
window.opener?.postMessage({ type: 'mcp-oauth2-complete', serverID }, origin);
window.close();

export {};
