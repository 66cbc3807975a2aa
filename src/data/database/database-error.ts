/** A uniqueness that a write would have broken. */
export interface UniqueViolation {
  /** The name of the unique index or constraint in the database, e.g. `mcp_server_configs_slug_key`. */
  constraint: string;
}

/** PostgreSQL's codes (its documentation, appendix A). Version 18 tells RESTRICT apart from other foreign keys. */
const UNIQUE_VIOLATION = '23505';
const DEADLOCKS: readonly unknown[] = ['40P01', '40001'];
const FOREIGN_KEY_VIOLATIONS: readonly unknown[] = ['23503', '23001'];

/**
 * The uniqueness behind a failed write, the same from a server and from the embedded database. Undefined for any
 * other error.
 */
export function describeUniqueViolation(error: unknown): UniqueViolation | undefined {
  const failure = findFailure(error);
  if (failure?.sqlState !== UNIQUE_VIOLATION) return undefined;
  return { constraint: failure.constraint ?? 'unknown' };
}

/** Whether a write failed because a row that it names is not there, or is still named by another. */
export function isForeignKeyViolation(error: unknown): boolean {
  return FOREIGN_KEY_VIOLATIONS.includes(findFailure(error)?.sqlState);
}

/** Whether a transaction was undone so that another one, which waited for it, could go on. */
export function isDeadlock(error: unknown): boolean {
  return DEADLOCKS.includes(findFailure(error)?.sqlState);
}

/** What is said of a database's error in a log: codes and names of the schema, never a value. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  /** Prisma's code, e.g. `P2002`, or PostgreSQL's where Prisma had no part. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

/**
 * An error that is safe to log. PostgreSQL prints the whole row when a CHECK refuses it, and the value that is no
 * UUID; Prisma prints the arguments of a call that it refuses, in every error format. So nothing of their text is
 * kept: the new error has codes, the names of constraint and model, and the stack's places. Other errors come back as
 * they are.
 */
export function scrubDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || !isDatabaseError(error)) return error;
  const { sqlState, constraint } = findFailure(error) ?? {};
  const { code, meta } = error as { code?: unknown; meta?: { modelName?: unknown } };
  const facts = [
    error.name,
    typeof code === 'string' && code !== sqlState && code,
    sqlState !== undefined && `SQLSTATE ${sqlState}`,
    constraint !== undefined && `constraint ${constraint}`,
    typeof meta?.modelName === 'string' && `model ${meta.modelName}`,
  ].filter((fact) => typeof fact === 'string');
  const scrubbed = new DatabaseError(`The database refused: ${facts.join(', ')}`, toText(code));
  scrubbed.stack = `${scrubbed.name}: ${scrubbed.message}${findPlaces(error)}`;
  return scrubbed;
}

/** The stack after the message that it repeats at its top; nothing when the message is not there as a whole. */
function findPlaces({ stack = '', message }: Error): string {
  const start = message === '' ? -1 : stack.indexOf(message);
  return start === -1 ? '' : stack.slice(start + message.length);
}

/** Whether the server answered, and said no; what it did not answer at all may be asked again. */
export function isRefusal(error: unknown): boolean {
  const state = findFailure(error)?.sqlState ?? '';
  // Syntax error or access rule violation, feature not supported, object not in prerequisite state.
  return /^(?:42|0A|55)/.test(state);
}

/** Prisma's errors, the driver adapters', and the drivers' own; a socket's error has no `severity`. */
function isDatabaseError(error: Error): boolean {
  return error.name.startsWith('PrismaClient') || error.name === 'DriverAdapterError' || 'severity' in error;
}

interface Failure {
  sqlState: string | undefined;
  constraint: string | undefined;
}

/** What the driver said, out of Prisma's error or the driver's own. */
function findFailure(error: unknown): Failure | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { meta } = error as { meta?: { driverAdapterError?: { cause?: unknown } } };
  const cause = (meta?.driverAdapterError?.cause ?? ('cause' in error ? error.cause : undefined)) as
    | { originalCode?: unknown; originalMessage?: unknown; constraint?: { index?: unknown } }
    | undefined;
  if (cause?.originalCode !== undefined) {
    const constraint = toText(cause.constraint?.index) ?? findConstraint(toText(cause.originalMessage));
    return { sqlState: toText(cause.originalCode), constraint };
  }
  if (!('severity' in error)) return undefined;
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return { sqlState: toText(code), constraint: toText(constraint) };
}

/** The embedded database's adapter keeps the constraint's name in the message only; its messages are in English. */
function findConstraint(message: string | undefined): string | undefined {
  return /constraint "([^"]+)"/.exec(message ?? '')?.[1];
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
