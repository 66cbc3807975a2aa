import type { TestGateway } from '../setup/gateway.ts';
import { CreateConfig, UpdateConfig } from '../setup/operations.ts';
import type { CreateMcpServerConfigInput, UpdateMcpServerConfigInput } from './generated/graphql.ts';
import { uniqueSlug } from './root-fields.ts';

/** Input that a test sends and that may be invalid: the types allow nulls where the gateway must refuse them. */
export type LooseInput = { [Field in keyof UpdateMcpServerConfigInput]?: unknown };

/** A valid config without credentials. */
export function validInput(): CreateMcpServerConfigInput {
  return { displayName: 'Tools', slug: uniqueSlug(), url: 'https://mcp.example.com/mcp' };
}

/** Creates a config as the admin. */
export function create(gateway: TestGateway, input: LooseInput = {}) {
  const variables = { input: { ...validInput(), ...input } as CreateMcpServerConfigInput };
  return gateway.execute(CreateConfig, { token: gateway.tokens.admin, variables });
}

/** Creates a config that must be accepted. @returns its id */
export async function createId(gateway: TestGateway, input: LooseInput = {}): Promise<string> {
  const { data, errors } = await create(gateway, input);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data.createMcpServerConfig.id;
}

/** Changes a config as the admin. */
export function update(gateway: TestGateway, id: string, patch: LooseInput, expectedVersion?: number) {
  const variables = {
    id,
    patch: patch as UpdateMcpServerConfigInput,
    ...(expectedVersion !== undefined && { expectedVersion }),
  };
  return gateway.execute(UpdateConfig, { token: gateway.tokens.admin, variables });
}

/** The problems named by a refused operation, as `path: CODE`. Fails if it was refused for another reason. */
export function issuesOf({ errors }: { errors?: readonly { extensions?: Record<string, unknown> }[] }): string[] {
  const [error, ...more] = errors ?? [];
  if (error === undefined) return [];
  if (more.length > 0 || error.extensions?.['code'] !== 'VALIDATION_FAILED') throw new Error(JSON.stringify(errors));
  const issues = error.extensions['issues'] as { path: (string | number)[]; code: string; message: string }[];
  return issues.map(({ path, code }) => `${path.join('.')}: ${code}`);
}
