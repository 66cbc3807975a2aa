import type { z } from 'zod';
import type { Experiment } from '../../domain/experiments.ts';
import type { Action } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** Example bodies for the documentation, by title. */
export type Examples = Readonly<Record<string, unknown>>;

/** A JSON body: its schema and examples. */
export interface Documented<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly examples: Examples;
}

/** The body of a request. */
export interface DocumentedBody<Schema extends z.ZodObject = z.ZodObject> extends Documented<Schema> {
  /** Why a field is refused that a caller may expect here, by its name. All other unknown fields are refused, too. */
  readonly refused?: Readonly<Record<string, string>>;
}

/** The declaration of one route. The route and its documentation are both created from it. */
export interface RestOperation {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** Relative to the group's prefix. */
  readonly path: '' | `/${string}`;
  /** The permission that is checked before any part of the request is read. */
  readonly action: Action;
  readonly summary: string;
  readonly description: string;
  /** The request body. The domain reports missing required fields, together with all other problems. */
  readonly body?: DocumentedBody;
  readonly success: {
    readonly status: 200 | 201 | 204 | 307;
    readonly description: string;
    readonly content?: Documented;
  };
  /** The body of a 200 for callers that ask with `Prefer: return=representation`; all others get `success`. */
  readonly representation?: Documented & { readonly description: string };
  /** Set for pages that browsers open. Other routes serve them; here they are only documented, with their query. */
  readonly page?: {
    readonly query: Readonly<Record<string, string>>;
    /** The media type of the answer, `text/html` if absent. */
    readonly type?: string;
  };
  /** Set if the answer depends only on the caller, their role and the state that `AnswerStamp` identifies. */
  readonly isRepeatable?: true;
  /** Whether the operation also succeeds if the resource does not exist. */
  readonly isIdempotent?: true;
  /** Set if the operation can return 502; describes when. */
  readonly upstream?: string;
  /** Set if the operation can return 409; describes when. */
  readonly conflict?: string;
}

/** The routes of one kind of resource. */
export interface RestGroup {
  /** E.g. `/api/experimental/things`, without a trailing slash. */
  readonly prefix: string;
  readonly name: string;
  readonly description: string;
  /** The feature that the routes belong to. */
  readonly experiment: Experiment;
  /** All schemas that the operations use, by their names in the documentation. */
  readonly schemas: Readonly<Record<string, z.ZodType>>;
  /** By operation id. */
  readonly operations: Readonly<Record<string, RestOperation>>;
}

/** The validated input of a handler. */
export type RequestOf<Operation> = { viewer: Viewer } & (Operation extends { path: `/{id}${string}` }
  ? { id: string }
  : unknown) &
  (Operation extends { body: { schema: infer Schema extends z.ZodObject } }
    ? { body: Partial<z.output<Schema>> }
    : unknown);

/** The result of a handler: the success body, the representation, or undefined. */
export type ResponseBodyOf<Operation> = Operation extends
  | { success: { content: { schema: infer Schema extends z.ZodType } } }
  | { representation: { schema: infer Schema extends z.ZodType } }
  ? z.output<Schema>
  : undefined;

/** One handler for each operation that is not a page. */
export type Handlers<Operations> = {
  readonly [Name in keyof Operations as Operations[Name] extends { page: object } ? never : Name]: (
    request: RequestOf<Operations[Name]>,
  ) => Promise<ResponseBodyOf<Operations[Name]>>;
};

/** Whether the path contains the id of a resource. */
export function hasId(operation: RestOperation): boolean {
  return operation.path.startsWith('/{id}');
}
