import type { Problem } from '../problem.ts';
import { toJsonContent } from './openapi-content.ts';
import { hasId, type RestOperation } from './operation.ts';

interface ErrorResponse {
  /** The name in the document's components. */
  name: string;
  description: string;
  examples: Readonly<Record<string, Problem>>;
}

/** The error responses by status, shared by all operations. */
const ERROR_RESPONSES = {
  400: {
    name: 'BadRequest',
    description: 'The request is invalid. Nothing was changed. The response lists all problems.',
    examples: {
      'broken rules': {
        message: 'slug: Enter a short name for tools and URLs, such as "github". (and 1 more)',
        code: 'VALIDATION_FAILED',
        validations: [
          { field: 'slug', detail: 'Enter a short name for tools and URLs, such as "github".' },
          { field: 'url', detail: 'Must start with https://.' },
        ],
      },
      'not JSON': { message: 'The body is not valid JSON: see line 3, column 12.', code: 'VALIDATION_FAILED' },
    },
  },
  401: {
    name: 'Unauthenticated',
    description: 'Not authenticated: there is no token or session, it is invalid or expired, or the user is suspended.',
    examples: {
      'no token': {
        message: 'Sign in, or send an API token as "Authorization: Bearer …".',
        code: 'UNAUTHENTICATED',
      },
    },
  },
  403: {
    name: 'Forbidden',
    description: "The caller's role does not allow this, or the feature is off. The request body was not read.",
    examples: {
      'not allowed': { message: 'Your role does not allow this.', code: 'FORBIDDEN' },
      'feature off': {
        message: 'This gateway runs without the "agents" experiment; its operator can add it to GATEHOUSE_EXPERIMENTS.',
        code: 'EXPERIMENT_DISABLED',
      },
    },
  },
  404: {
    name: 'NotFound',
    description: 'Nothing with this id exists, or the caller may not see it.',
    examples: { missing: { message: 'There is no such MCP server config.', code: 'NOT_FOUND' } },
  },
  409: {
    name: 'Conflict',
    description: 'The change conflicts with existing data.',
    examples: {
      'slug taken': {
        message: 'Another config already has the slug "issues"; choose a different one.',
        code: 'CONFLICT',
        validations: [
          { field: 'slug', detail: 'Another config already has the slug "issues"; choose a different one.' },
        ],
      },
    },
  },
  413: {
    name: 'TooLarge',
    description: 'The body is larger than 256 KiB.',
    examples: { 'too large': { message: 'The body is larger than 256 KiB.', code: 'VALIDATION_FAILED' } },
  },
  415: {
    name: 'UnsupportedMediaType',
    description: 'The content type of the body is not application/json.',
    examples: {
      'not JSON': {
        message: 'Send the body as JSON, with the header "Content-Type: application/json".',
        code: 'VALIDATION_FAILED',
      },
    },
  },
  502: {
    name: 'UpstreamFailed',
    description: 'Another server that the gateway needed failed or sent an invalid response.',
    examples: {
      'no metadata': {
        message: 'The authorization server has no metadata (RFC 8414, OpenID Connect Discovery) at any known place.',
        code: 'UPSTREAM_FAILED',
      },
    },
  },
  500: {
    name: 'InternalServerError',
    description: 'Internal error in the gateway.',
    examples: {
      masked: {
        message: 'Internal error in the gateway. Its log has the details under this errorId.',
        code: 'INTERNAL_SERVER_ERROR',
        errorId: '0b0f8a39-92a5-4f6e-8d2e-6f1a3e7f5f10',
      },
    },
  },
} as const satisfies Record<number, ErrorResponse>;

type ErrorStatus = keyof typeof ERROR_RESPONSES;

/** Creates the `responses` of the document's components. */
export function toErrorComponents(): Record<string, object> {
  const responses: readonly ErrorResponse[] = Object.values(ERROR_RESPONSES);
  return Object.fromEntries(
    responses.map(({ name, description, examples }) => [
      name,
      { description, content: toJsonContent('Problem', examples) },
    ]),
  );
}

/** References to the error responses that the operation can return, by status. */
export function toErrorReferences(operation: RestOperation): Record<string, object> {
  const statuses: ErrorStatus[] = [401, 403, 500];
  if (hasId(operation)) statuses.push(400, ...(operation.isIdempotent === true ? [] : [404 as const]));
  else if (operation.page !== undefined) statuses.push(400, 404);
  if (operation.body !== undefined) statuses.push(400, 413, 415);
  const references = statuses.map((status) => [status, toReference(status)]);
  if (operation.upstream !== undefined) {
    references.push([502, { ...toReference(502), description: operation.upstream }]);
  }
  if (operation.conflict !== undefined) {
    references.push([409, { ...toReference(409), description: operation.conflict }]);
  }
  return Object.fromEntries(references);
}

function toReference(status: ErrorStatus): object {
  return { $ref: `#/components/responses/${ERROR_RESPONSES[status].name}` };
}
