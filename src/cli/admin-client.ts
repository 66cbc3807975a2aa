import { readConfig } from '../config.ts';
import { adminTokenFile, readAdminToken } from './admin-token.ts';
import { CommandError } from './failure.ts';
import { OPERATIONS, type OperationName } from './operations.ts';

const TIMEOUT_MS = 30_000;

/**
 * Sends a GraphQL operation to the running gateway as the bootstrap admin.
 *
 * @throws CommandError if no gateway responds, or with the errors that it returns
 */
export async function requestGateway<Data>(
  operation: OperationName,
  variables: Record<string, unknown> = {},
  timeoutMs: number = TIMEOUT_MS,
): Promise<Data> {
  const config = readConfig();
  const token = config.adminToken ?? (await readAdminToken(adminTokenFile(config)));
  if (token === undefined) {
    throw new CommandError(
      `No admin token found: set GATEHOUSE_ADMIN_TOKEN, or start the gateway with the data folder ${config.dataDir}.`,
    );
  }
  let response: Response;
  try {
    response = await fetch(`${config.publicUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token.expose()}` },
      body: JSON.stringify({ query: OPERATIONS[operation], variables }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch {
    throw new CommandError(`No gateway responds at ${config.publicUrl} (GATEHOUSE_PUBLIC_URL). Start it first.`);
  }
  const answer = (await response.json().catch(() => ({}))) as { data?: Data; errors?: { message: string }[] };
  if (answer.errors !== undefined || answer.data === undefined) {
    const reasons = (answer.errors ?? [{ message: `HTTP status ${response.status}` }]).map((error) => error.message);
    throw new CommandError(reasons.join('; '));
  }
  return answer.data;
}
