import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ServerType } from '@hono/node-server';

/** How long a client may take to end his side of a connection that was ended on this one. */
const GOODBYE_MS = 1_000;

type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Has requests that offer another protocol than WebSocket answered as if they did not, which a server may do at any
 * time (RFC 9110, section 7.8). Some clients offer HTTP/2 with each request, and Node gives all offers to whoever
 * listens for one.
 *
 * Call it after the listener for WebSockets is there.
 */
export function passOtherUpgrades(server: ServerType): void {
  const listeners = server.listeners('upgrade') as OnUpgrade[];
  server.removeAllListeners('upgrade');
  /** The last answer on each connection. */
  const answers = new WeakMap<Duplex, ServerResponse>();
  const onUpgrade: OnUpgrade = (request, socket, head) => {
    if (request.headers.upgrade?.toLowerCase() === 'websocket') {
      // One that is refused is only ended on this side, and nobody reads any more when the client ends his.
      socket.once('finish', () => setTimeout(() => socket.destroy(), GOODBYE_MS).unref());
      for (const listener of listeners) listener.call(server, request, socket, head);
      return;
    }
    // Sent together with one that is not answered yet: their answers would have no order. He may ask again.
    if (answers.get(socket)?.writableFinished === false) {
      socket.destroy();
      return;
    }
    // Node has taken its parser off the connection: begin it anew, with the same request less the offer.
    socket.unshift(Buffer.concat([Buffer.from(toRequestHead(request), 'latin1'), head]));
    server.emit('connection', socket);
  };
  server.on('upgrade', onUpgrade);
  server.on('request', (request: IncomingMessage, answer: ServerResponse) => void answers.set(request.socket, answer));
}

const OFFER = new Set(['upgrade', 'http2-settings']);

function toRequestHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (OFFER.has(name.toLowerCase())) continue;
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutOffer(value) : value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function withoutOffer(options: string): string {
  return options
    .split(',')
    .filter((option) => !OFFER.has(option.trim().toLowerCase()))
    .join(',');
}
