/** A unique constraint that a write would have violated. */
export interface UniqueViolation {
  /** The name of the unique index or constraint in the database, e.g. `mcp_server_configs_slug_key`. */
  constraint: string;
}

/**
 * PostgreSQL error codes (documentation, appendix A). Version 18 reports RESTRICT separately from other foreign keys.
 */
const UNIQUE_VIOLATION = '23505';
const DEADLOCKS: readonly unknown[] = ['40P01', '40001'];
const LOCK_NOT_AVAILABLE = '55P03';
/** Undefined table, undefined column. */
const MISSING: readonly unknown[] = ['42P01', '42703'];
/** The same as Prisma's codes, for statements that Prisma itself makes. */
const MISSING_IN_PRISMA: readonly unknown[] = ['P2021', 'P2022'];
const FOREIGN_KEY_VIOLATIONS: readonly unknown[] = ['23503', '23001'];

/**
 * Returns the unique constraint that a failed write violated. The result is the same for a server and for the embedded
 * database. Undefined for any other error.
 */
export function describeUniqueViolation(error: unknown): UniqueViolation | undefined {
  const failure = findFailure(error);
  if (failure?.sqlState !== UNIQUE_VIOLATION) return undefined;
  return { constraint: failure.constraint ?? 'unknown' };
}

/** Whether a write failed because a row it references is missing, or because another row still references it. */
export function isForeignKeyViolation(error: unknown): boolean {
  return FOREIGN_KEY_VIOLATIONS.includes(findFailure(error)?.sqlState);
}

/** Whether a table that the statement names, or a column of it, does not exist. */
export function isMissingTable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return MISSING_IN_PRISMA.includes(code) || MISSING.includes(findFailure(error)?.sqlState);
}

/** Whether a transaction was rolled back to break a deadlock. */
export function isDeadlock(error: unknown): boolean {
  return DEADLOCKS.includes(findFailure(error)?.sqlState);
}

/** Whether a statement waited for a lock for too long. It is rolled back, and with it its transaction. */
export function isLockTimeout(error: unknown): boolean {
  return findFailure(error)?.sqlState === LOCK_NOT_AVAILABLE;
}

/** A database error in a form that is safe to log: error codes and schema names, never a value. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  /** Prisma's code, e.g. `P2002`, or PostgreSQL's code for errors that did not come through Prisma. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

/**
 * Returns an error that is safe to log. PostgreSQL prints the whole row when a CHECK fails, and the offending value
 * when a UUID is malformed; Prisma prints the arguments of a rejected call in every error format. So none of their text
 * is kept: the new error has the codes, the constraint and model names, and the stack frames. Other errors are returned
 * unchanged.
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

/**
 * The stack frames below the message at the top of the stack. Empty if the stack does not contain the whole message.
 */
function findPlaces({ stack = '', message }: Error): string {
  const start = message === '' ? -1 : stack.indexOf(message);
  return start === -1 ? '' : stack.slice(start + message.length);
}

/** Whether the server answered and refused. A request that got no answer at all can be retried. */
export function isRefusal(error: unknown): boolean {
  const state = findFailure(error)?.sqlState ?? '';
  if (state === LOCK_NOT_AVAILABLE) return false;
  // Classes 42, 0A, 55: syntax error or access rule violation, feature not supported, object not in prerequisite state.
  return /^(?:42|0A|55)/.test(state);
}

/** Prisma's errors, the driver adapters' errors and the drivers' own errors. A socket error has no `severity`. */
function isDatabaseError(error: Error): boolean {
  return error.name.startsWith('PrismaClient') || error.name === 'DriverAdapterError' || 'severity' in error;
}

interface Failure {
  sqlState: string | undefined;
  constraint: string | undefined;
}

/** Returns the driver's own failure, whether Prisma wrapped it or not. */
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

/** The embedded database's adapter gives the constraint name only in the message, which is always in English. */
function findConstraint(message: string | undefined): string | undefined {
  return /constraint "([^"]+)"/.exec(message ?? '')?.[1];
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
