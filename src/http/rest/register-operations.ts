import type { Hono } from 'hono';
import { z } from 'zod';
import { assertExperiment, type Experiment } from '../../domain/experiments.ts';
import { validationFailed } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import type { HttpEnv } from '../context.ts';
import { readBody } from './json-body.ts';
import { type Handlers, hasId, type RestGroup, type RestOperation } from './operation.ts';

type AnyHandler = (request: Record<string, unknown>) => Promise<unknown>;

/**
 * Serves the operations of a group, with and without a slash at the end of the path. The order of the checks is the
 * same for all: who calls, whether his role allows it, whether the feature is on, the id, the body. So who may not
 * learns nothing, and nothing that he sent is read.
 */
export function registerOperations<const Group extends RestGroup>(
  router: Hono<HttpEnv>,
  group: Group,
  handlers: Handlers<Group['operations']>,
  experiments: ReadonlySet<Experiment>,
): void {
  for (const [name, operation] of Object.entries<RestOperation>(group.operations)) {
    if (operation.page !== undefined) continue;
    const handle = (handlers as Record<string, unknown>)[name] as AnyHandler;
    const path = `${group.prefix}${operation.path.replace('{id}', ':id')}`;
    router.on(operation.method.toUpperCase(), [path, `${path}/`], async (c) => {
      const viewer = c.get('viewer');
      assertCan(viewer, operation.action);
      assertExperiment(experiments, group.experiment);
      const answer = await handle({
        viewer,
        ...(hasId(operation) && { id: parseId(c.req.param('id')) }),
        ...(operation.body !== undefined && { body: await readBody(c.req, operation.body.schema) }),
      });
      c.header('Cache-Control', 'no-store');
      c.status(operation.success.status as 200);
      return operation.success.content === undefined ? c.body(null) : c.json(answer as object);
    });
  }
}

/** Any UUID that PostgreSQL takes in this spelling, of whatever version. */
const Id = z.guid();

function parseId(text: string | undefined): string {
  const { data } = Id.safeParse(text);
  if (data !== undefined) return data;
  throw validationFailed([{ path: ['id'], code: 'NOT_A_UUID', message: 'The id in the path is not a UUID.' }]);
}
