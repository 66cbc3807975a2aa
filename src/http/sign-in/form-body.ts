import type { Context } from 'hono';
import type { HttpEnv } from '../context.ts';
import { decodeUtf8, readLimitedBody } from '../limited-body.ts';
import { HttpProblem } from '../problem.ts';

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/** Reads the fields of an HTML form. @throws HttpProblem 415 for anything else, 413, 400 */
export async function readForm(c: Context<HttpEnv>): Promise<URLSearchParams> {
  if (!FORM_TYPE.test(c.req.header('content-type') ?? '')) {
    const message = 'Send the fields as application/x-www-form-urlencoded.';
    throw new HttpProblem(415, { message, code: 'VALIDATION_FAILED' });
  }
  return new URLSearchParams(decodeUtf8(await readLimitedBody(c.req.raw)));
}
