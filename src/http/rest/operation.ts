import type { z } from 'zod';
import type { Experiment } from '../../domain/experiments.ts';
import type { Action } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** Bodies to show in the documentation, by what they stand for. */
export type Examples = Readonly<Record<string, unknown>>;

/** JSON as it is checked and documented. */
export interface Documented<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly examples: Examples;
}

/** One route: what is served and what is documented, in one declaration. */
export interface RestOperation {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** Below the prefix of the group. */
  readonly path: '' | `/{id}${string}`;
  /** What the caller must be allowed to do before anything of the request is looked at. */
  readonly action: Action;
  readonly summary: string;
  readonly description: string;
  /** What is sent. A required field that is missing is for the domain to report, along with all other problems. */
  readonly body?: Documented<z.ZodObject>;
  readonly success: {
    readonly status: 200 | 201 | 204 | 307;
    readonly description: string;
    readonly content?: Documented;
  };
  /** Answered to a browser, by routes of its own; here it is only documented, with the query that it takes. */
  readonly page?: { readonly query: Readonly<Record<string, string>> };
  /** Whether it is a success too when there is no such thing. */
  readonly isIdempotent?: true;
  /** Whether it may end in 502, and when. */
  readonly upstream?: string;
  /** Whether it may end in 409, and when. */
  readonly conflict?: string;
}

/** Routes about one kind of thing. */
export interface RestGroup {
  /** E.g. `/api/experimental/things`, without a slash at the end. */
  readonly prefix: string;
  readonly name: string;
  readonly description: string;
  /** The feature that the routes belong to. */
  readonly experiment: Experiment;
  /** Every schema that the operations use, by its name in the documentation. */
  readonly schemas: Readonly<Record<string, z.ZodType>>;
  /** By operation id. */
  readonly operations: Readonly<Record<string, RestOperation>>;
}

/** What a handler is given, all of it checked. */
export type RequestOf<Operation> = { viewer: Viewer } & (Operation extends { path: `/{id}${string}` }
  ? { id: string }
  : unknown) &
  (Operation extends { body: { schema: infer Schema extends z.ZodObject } }
    ? { body: Partial<z.output<Schema>> }
    : unknown);

/** What a handler answers: the success body, or nothing. */
export type AnswerOf<Operation> = Operation extends { success: { content: { schema: infer Schema extends z.ZodType } } }
  ? z.output<Schema>
  : undefined;

/** One handler for each operation that is no page. */
export type Handlers<Operations> = {
  readonly [Name in keyof Operations as Operations[Name] extends { page: object } ? never : Name]: (
    request: RequestOf<Operations[Name]>,
  ) => Promise<AnswerOf<Operations[Name]>>;
};

/** Whether the path of the operation names one thing. */
export function hasId(operation: RestOperation): boolean {
  return operation.path.startsWith('/{id}');
}
