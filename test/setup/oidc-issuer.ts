import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OidcSigner } from './oidc-signer.ts';

/** A simulated issuer: answers what a test tells it to, including invalid answers. */
export interface HandmadeIssuer {
  /** Its origin. */
  url: string;
  /** Requested paths so far. */
  requests: string[];
  /** Sets the answer at this path; until then it is 404. */
  on(path: string, listener: RequestListener): void;
  /** Answers with JSON at this path. */
  onJson(path: string, body: unknown): void;
  /** Serves honest metadata and these keys. */
  serve(signers: readonly OidcSigner[]): void;
  /** How often this path was requested. */
  count(path: string): number;
  close(): Promise<void>;
}

export const METADATA_PATH = '/.well-known/openid-configuration';
export const JWKS_PATH = '/keys';

export async function startHandmadeIssuer(): Promise<HandmadeIssuer> {
  const requests: string[] = [];
  const listeners = new Map<string, RequestListener>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const listener = listeners.get(path);
    if (listener === undefined) response.writeHead(404).end();
    else listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const onJson = (path: string, body: unknown): void => {
    listeners.set(path, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  };
  return {
    url,
    requests,
    on: (path, listener) => void listeners.set(path, listener),
    onJson,
    serve(signers) {
      onJson(METADATA_PATH, { issuer: url, jwks_uri: `${url}${JWKS_PATH}` });
      onJson(JWKS_PATH, { keys: signers.map((signer) => signer.publicJwk) });
    },
    count: (path) => requests.filter((each) => each === path).length,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
