import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ServerType } from '@hono/node-server';

/** How long a client may take to close its side of the connection after the gateway closed this side. */
const CLOSE_TIMEOUT_MS = 1_000;

type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Ignores the Upgrade header of requests that offer a protocol other than WebSocket, as a server may always do (RFC 9110,
 * section 7.8). Some clients offer HTTP/2 with each request, and Node passes every Upgrade request to the `upgrade`
 * listeners instead of the request handler.
 *
 * Call it after the WebSocket listener is registered.
 */
export function ignoreOtherUpgrades(server: ServerType): void {
  const listeners = server.listeners('upgrade') as OnUpgrade[];
  server.removeAllListeners('upgrade');
  /** The last response on each connection. */
  const responses = new WeakMap<Duplex, ServerResponse>();
  const onUpgrade: OnUpgrade = (request, socket, head) => {
    if (request.headers.upgrade?.toLowerCase() === 'websocket') {
      // The adapter would answer 500.
      if (!URL.canParse(`http://${request.headers.host ?? ''}`)) {
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        socket.once('finish', () => socket.destroy());
        return;
      }
      // A rejected upgrade closes only this side, and nothing reads the close of the client. Destroy the socket instead.
      socket.once('finish', () => setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS).unref());
      for (const listener of listeners) listener.call(server, request, socket, head);
      return;
    }
    // Pipelined after an unanswered request: the order of responses would be undefined. The client may retry.
    if (responses.get(socket)?.writableFinished === false) {
      socket.destroy();
      return;
    }
    // Node has detached its parser from the socket. Replay the request without the Upgrade header as a new connection.
    socket.unshift(Buffer.concat([Buffer.from(toRequestHead(request), 'latin1'), head]));
    server.emit('connection', socket);
  };
  server.on('upgrade', onUpgrade);
  server.on(
    'request',
    (request: IncomingMessage, response: ServerResponse) => void responses.set(request.socket, response),
  );
}

const UPGRADE_OPTIONS = new Set(['upgrade', 'http2-settings']);

function toRequestHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (UPGRADE_OPTIONS.has(name.toLowerCase())) continue;
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutUpgradeOptions(value) : value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function withoutUpgradeOptions(options: string): string {
  return options
    .split(',')
    .filter((option) => !UPGRADE_OPTIONS.has(option.trim().toLowerCase()))
    .join(',');
}
