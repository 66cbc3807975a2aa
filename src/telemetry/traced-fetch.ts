import { currentRequest } from './request-scope.ts';
import { inSpan, type Tracing } from './tracing.ts';

type Fetch<Request extends { method?: string }> = (url: string | URL, request?: Request) => Promise<Response>;

/**
 * The same fetch, with a span for each call that a request of somebody causes: the host, the method and the status. URLs,
 * headers and bodies may hold secrets. Without tracing, it is the very same fetch.
 */
export function traceFetch<Request extends { method?: string }>(
  tracing: Tracing | undefined,
  fetch: Fetch<Request>,
): Fetch<Request> {
  if (tracing === undefined) return fetch;
  return (target, request) => {
    const around = currentRequest()?.span;
    const { method = 'GET' } = request ?? {};
    const url = URL.canParse(String(target)) ? new URL(target) : undefined;
    const span =
      around == null
        ? null
        : tracing.beginWithin(around, {
            ...{ name: method, kind: 'client' },
            attributes: {
              'http.request.method': method,
              'server.address': url?.hostname,
              'server.port': url && (Number(url.port) || (url.protocol === 'https:' ? 443 : 80)),
            },
          });
    if (span === null) return fetch(target, request);
    const send = async (): Promise<Response> => {
      const response = await fetch(target, request);
      span.set({ 'http.response.status_code': response.status });
      return response;
    };
    return inSpan(span, send, findError);
  };
}

function findError(outcome: { result: Response } | { error: unknown }): string | undefined {
  if ('result' in outcome) return outcome.result.status >= 400 ? String(outcome.result.status) : undefined;
  const { failure } = (outcome.error ?? {}) as { failure?: unknown };
  return typeof failure === 'string' ? failure : undefined;
}
