// The end of a connection: tells the window that opened this one, only if it has the expected origin, and closes this one.

const { message, origin }: { message: { type: string; serverID: string }; origin: string } = JSON.parse(
  document.getElementById('result')?.textContent ?? '{}',
);
window.opener?.postMessage(message, origin);
window.close();

export {};
