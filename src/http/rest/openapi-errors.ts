import type { Problem } from '../problem.ts';
import { toJsonContent } from './openapi-content.ts';
import { hasId, type RestOperation } from './operation.ts';

interface ErrorAnswer {
  /** In the document's components. */
  name: string;
  description: string;
  examples: Readonly<Record<string, Problem>>;
}

/** What each status that is not a success means, in every operation that can end in it. */
const ERROR_ANSWERS = {
  400: {
    name: 'BadRequest',
    description: 'What was sent is not valid; nothing was changed. All problems are told at once.',
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
    description: 'Nobody is signed in: no token or session, or one that ended, or a suspended user.',
    examples: {
      'no token': {
        message: 'Sign in, or send an API token as "Authorization: Bearer …".',
        code: 'UNAUTHENTICATED',
      },
    },
  },
  403: {
    name: 'Forbidden',
    description:
      "The caller's role does not allow this, or the gateway runs without the feature. Nothing sent was read.",
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
    description: 'There is none with this id, or none that the caller may see.',
    examples: { missing: { message: 'There is no such MCP server config.', code: 'NOT_FOUND' } },
  },
  409: {
    name: 'Conflict',
    description: 'The change collides with something that is there already.',
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
    description: 'The body is not said to be application/json.',
    examples: {
      'not JSON': {
        message: 'Send the body as JSON, with the header "Content-Type: application/json".',
        code: 'VALIDATION_FAILED',
      },
    },
  },
  502: {
    name: 'UpstreamFailed',
    description: 'Another server, which the gateway had to ask, did not answer as it should.',
    examples: {
      'no metadata': {
        message: 'The authorization server has no metadata (RFC 8414, OpenID Connect Discovery) at any known place.',
        code: 'UPSTREAM_FAILED',
      },
    },
  },
  500: {
    name: 'InternalServerError',
    description: 'Something went wrong inside the gateway.',
    examples: {
      masked: {
        message: 'Something went wrong inside the gateway; its log has more under this errorId.',
        code: 'INTERNAL_SERVER_ERROR',
        errorId: '0b0f8a39-92a5-4f6e-8d2e-6f1a3e7f5f10',
      },
    },
  },
} as const satisfies Record<number, ErrorAnswer>;

type ErrorStatus = keyof typeof ERROR_ANSWERS;

/** The `responses` of the document's components. */
export function toErrorComponents(): Record<string, object> {
  const answers: readonly ErrorAnswer[] = Object.values(ERROR_ANSWERS);
  return Object.fromEntries(
    answers.map(({ name, description, examples }) => [
      name,
      { description, content: toJsonContent('Problem', examples) },
    ]),
  );
}

/** References to the answers that the operation can end in without success, by status. */
export function toErrorReferences(operation: RestOperation): Record<string, object> {
  const statuses: ErrorStatus[] = [401, 403, 500];
  if (hasId(operation)) statuses.push(400, ...(operation.isIdempotent === true ? [] : [404 as const]));
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
  return { $ref: `#/components/responses/${ERROR_ANSWERS[status].name}` };
}
