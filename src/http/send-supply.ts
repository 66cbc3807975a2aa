import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { NOTHING_YET, OVER, type Supply, type Taken } from '../domain/feed/supply.ts';

/** The answers whose parts come from a supply. */
const answers = new WeakMap<Response, Supply<Uint8Array>>();

/** Notes that the server may take the body of an answer from a supply. No part of it has been taken yet. */
export function noteSupply(answer: Response, supply: Supply<Uint8Array>): void {
  answers.set(answer, supply);
}

/** What such an answer is supplied with. Undefined for any other. */
export function findSuppliedAnswer(answer: Response): Supply<Uint8Array> | undefined {
  return answers.get(answer);
}

/**
 * Sends what a supply has to a client, as fast as the client takes it. While the client reads nothing, nothing is taken: what
 * waits for them are at most `writableHighWaterMark` bytes and one part.
 */
export function sendSupply(outgoing: ServerResponse, supply: Supply<Uint8Array>): void {
  let isClosed = outgoing.destroyed;

  /** @returns whether to take more at once */
  const send = (taken: Taken<Uint8Array>): boolean => {
    if (isClosed) return false;
    if (taken === NOTHING_YET) {
      supply.onReady(pump);
      return false;
    }
    if (taken === OVER) {
      outgoing.end();
      return false;
    }
    if (outgoing.write(taken)) return true;
    outgoing.once('drain', pump);
    return false;
  };
  const fail = (error: unknown): void => void outgoing.destroy(error as Error);
  const pump = (): void => {
    try {
      let goesOn = !isClosed;
      while (goesOn) {
        const taken = supply.take();
        if (taken instanceof Promise) {
          taken.then((late) => void (send(late) && pump())).catch(fail);
          return;
        }
        goesOn = send(taken);
      }
    } catch (error) {
      fail(error);
    }
  };

  let forget: (() => void) | undefined;
  const close = (): void => {
    isClosed = true;
    forget?.();
    supply.close();
  };
  const { socket } = outgoing.req;
  if (isClosed || socket.destroyed) {
    close();
    return;
  }
  outgoing.on('close', close);
  outgoing.on('error', close);
  forget = onClose(socket, close);
  pump();
}

/** What to close when a connection does. A client may ask for many streams before it has read the first one. */
const closers = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back when the client goes away. An answer whose turn on its connection has not come is not told.
 *
 * @returns a function that stops that
 */
function onClose(socket: Socket, close: () => void): () => void {
  const known = closers.get(socket);
  const all = known ?? new Set();
  all.add(close);
  if (known === undefined) {
    closers.set(socket, all);
    socket.once('close', () => {
      for (const each of [...all]) each();
    });
  }
  return () => all.delete(close);
}
