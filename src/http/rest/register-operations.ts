import type { Hono } from 'hono';
import { z } from 'zod';
import { assertExperiment, type Experiment } from '../../domain/experiments.ts';
import type { AnswerStamp } from '../../domain/feed/answer-stamp.ts';
import { validationFailed } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import type { HttpEnv } from '../context.ts';
import { readBody } from './json-body.ts';
import { type Handlers, hasId, type RestGroup, type RestOperation } from './operation.ts';
import { prefersRepresentation } from './prefer.ts';
import { assertNoQuery } from './query.ts';

type AnyHandler = (request: Record<string, unknown>) => Promise<unknown>;

/**
 * Registers the routes of a group, with and without a trailing slash. All routes check in the same order: authentication,
 * the caller's role, the feature flag, the id, the query, the body. Unauthorized callers therefore learn nothing, and nothing that
 * they send is read.
 */
export function registerOperations<const Group extends RestGroup>(
  router: Hono<HttpEnv>,
  group: Group,
  handlers: Handlers<Group['operations']>,
  { experiments, answerStamp }: { experiments: ReadonlySet<Experiment>; answerStamp: AnswerStamp },
): void {
  for (const [name, operation] of Object.entries<RestOperation>(group.operations)) {
    if (operation.page !== undefined) continue;
    const handle = (handlers as Record<string, unknown>)[name] as AnyHandler;
    const path = `${group.prefix}${operation.path.replace('{id}', ':id')}`;
    router.on(operation.method.toUpperCase(), [path, `${path}/`], async (c) => {
      const viewer = c.get('viewer');
      assertCan(viewer, operation.action);
      assertExperiment(experiments, group.experiment);
      const id = hasId(operation) ? { id: parseId(c.req.param('id')) } : {};
      assertNoQuery(c.req.url);
      const stamp = operation.isRepeatable === true ? await answerStamp.fresh() : undefined;
      const result = await handle({
        viewer,
        ...id,
        ...(operation.body !== undefined && { body: await readBody(c.req, operation.body) }),
      });
      if (stamp !== undefined && answerStamp.current() === stamp) c.set('repeatable', { stamp, body: undefined });
      c.header('Cache-Control', 'no-store');
      if (operation.representation !== undefined && prefersRepresentation(c.req.header('prefer'))) {
        c.header('Preference-Applied', 'return=representation');
        return c.json(result as object, 200);
      }
      c.status(operation.success.status as 200);
      return operation.success.content === undefined ? c.body(null) : c.json(result as object);
    });
  }
}

/** Any UUID in the canonical format, of any version, as PostgreSQL accepts it. */
const Id = z.guid();

/** @throws VALIDATION_FAILED if the id in a path is not a UUID */
export function parseId(text: string | undefined): string {
  const { data } = Id.safeParse(text);
  if (data !== undefined) return data;
  throw validationFailed([{ path: ['id'], code: 'NOT_A_UUID', message: 'The id in the path is not a UUID.' }]);
}
