import { createRequire } from 'node:module';
import type * as Library from 'undici';

// Its entry loads more than twice as much: `fetch`, WebSockets, caches, proxies and mocks.

/** undici's connections. */
export const Agent = createRequire(import.meta.url)('undici/lib/dispatcher/agent.js') as typeof Library.Agent;

/** undici's way to connect. */
export const buildConnector = createRequire(import.meta.url)(
  'undici/lib/core/connect.js',
) as typeof Library.buildConnector;

/** undici's errors. */
export const errors = createRequire(import.meta.url)('undici/lib/core/errors.js') as typeof Library.errors;

/** Sends a request, as a method of an agent. */
export const request = createRequire(import.meta.url)('undici/lib/api/api-request.js') as (
  this: Library.Dispatcher,
  options: Library.Dispatcher.RequestOptions,
) => Promise<Library.Dispatcher.ResponseData>;
