import type { ServerTest } from '../../domain/upstreams/server-test.ts';
import type { TestStep } from '../../domain/upstreams/server-test-steps.ts';
import { UPSTREAM_PROBLEMS, type UpstreamProblem } from '../../mcp/upstream-error.ts';
import { builder } from '../builder.ts';

const McpServerTestStepNameEnum = builder.enumType('McpServerTestStepName', {
  description: 'A step of a test, in their order.',
  values: {
    NAME: { value: 'name', description: "The name in the server's URL resolves." },
    ADDRESS: { value: 'address', description: 'The gateway may call its address, and reaches it.' },
    TLS: { value: 'tls', description: 'TLS works, and the certificate is valid.' },
    HTTP: { value: 'http', description: 'The server answers HTTP requests.' },
    PROTOCOL: {
      value: 'protocol',
      description: 'It speaks a revision of the Model Context Protocol that the gateway knows.',
    },
    AUTHORIZATION_NOBODY: { value: 'authorization_nobody', description: 'What a caller without credentials gets.' },
    AUTHORIZATION_SECRET: { value: 'authorization_secret', description: 'It accepts the API key or the headers.' },
    AUTHORIZATION_OWN: { value: 'authorization_own', description: "It accepts the admin's own OAuth 2 connection." },
    TOOLS: { value: 'tools', description: 'It lists its tools.' },
  } as const,
});

const McpServerTestOutcomeEnum = builder.enumType('McpServerTestOutcome', {
  description: 'The outcome of a step.',
  values: {
    OK: { value: 'ok', description: 'It works.' },
    FAILED: { value: 'failed', description: 'It does not work.' },
    SKIPPED: { value: 'skipped', description: 'It was not tried, or does not apply.' },
  } as const,
});

const McpProblemEnum = builder.enumType('McpProblem', {
  description: 'Why an MCP server could not be used.',
  values: Object.fromEntries(
    Object.entries(UPSTREAM_PROBLEMS).map(([problem, description]) => [
      problem,
      { value: problem as UpstreamProblem, description },
    ]),
  ) as Record<UpstreamProblem, { value: UpstreamProblem; description: string }>,
});

const McpServerTestStepType = builder.objectRef<TestStep>('McpServerTestStep').implement({
  description: 'One step of a test. It never contains what the server sent.',
  fields: (t) => ({
    name: t.expose('name', { type: McpServerTestStepNameEnum, description: 'What was tried.' }),
    outcome: t.expose('outcome', { type: McpServerTestOutcomeEnum, description: 'The outcome.' }),
    ms: t.exposeInt('ms', { description: 'How long it took, in milliseconds. 0 if it was skipped.' }),
    found: t.exposeString('found', { description: 'What was found, as a sentence.' }),
    advice: t.exposeString('advice', { nullable: true, description: 'What to do; null for nothing.' }),
    problem: t.expose('problem', {
      type: McpProblemEnum,
      nullable: true,
      description: 'Why it failed; null if it did not.',
    }),
  }),
});

/** `McpServerTest` */
export const McpServerTestType = builder.objectRef<ServerTest>('McpServerTest').implement({
  description: 'The result of testing an MCP server. For admins.',
  fields: (t) => ({
    isOk: t.exposeBoolean('isOk', { description: 'Whether no step failed.' }),
    steps: t.field({
      type: [McpServerTestStepType],
      description: 'All steps, in order.',
      resolve: ({ steps }) => steps,
    }),
  }),
});
