import type { Plugin } from 'graphql-yoga';
import type { GraphQLServerContext } from '../context.ts';
import { parseParams } from '../request-params.ts';

/** The body of a POST request, handed to the plugin. */
export interface RequestBody {
  /** Returns the body once: JSON, or undefined for a method without a body. Further calls return undefined. */
  takeBody(): string | undefined;
}

/** Holds a body until it is taken. */
export function createRequestBody(body: string | undefined): RequestBody {
  let held = body;
  return {
    takeBody() {
      const taken = held;
      held = undefined;
      return taken;
    },
  };
}

/** Parses the body once and frees it. Yoga's own request object would keep the text as long as its stream is open. */
export function useRequestBody(): Plugin<GraphQLServerContext, RequestBody> {
  return {
    onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method !== 'POST') return;
      // Yoga checks the params before it uses them.
      type Parser = Parameters<typeof setRequestParser>[0];
      setRequestParser(() => parseParams(serverContext.takeBody() ?? '') as ReturnType<Parser>);
    },
  };
}
