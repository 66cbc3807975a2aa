import { z } from 'zod';
import { TEST_STEPS } from '../../domain/upstreams/server-test-steps.ts';

/** The response of `POST /{id}/test`. */
export const McpServerTest = z
  .strictObject({
    is_ok: z.boolean().describe('Whether no step failed.'),
    steps: z
      .array(
        z.strictObject({
          name: z.enum(TEST_STEPS).describe('What was tried.'),
          outcome: z.enum(['ok', 'failed', 'skipped']).describe('The outcome.'),
          ms: z.number().int().describe('How long it took, in milliseconds. 0 if it was skipped.'),
          found: z.string().describe('What was found, as a sentence.'),
          advice: z.string().nullable().describe('What to do; null for nothing.'),
          problem: z.string().nullable().describe('Why it failed, e.g. `TLS_FAILED`; null if it did not.'),
        }),
      )
      .describe('All steps, in order.'),
  })
  .describe('The result of testing an MCP server. It never contains what the server sent.');
