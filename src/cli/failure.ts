import { ConfigError } from '../config.ts';
import { FolderInUseError } from '../data/database/folder-lock.ts';
import { KeyFileError } from '../data/keys/key-file.ts';
import { KeyRegistryError } from '../data/keys/key-registry-error.ts';
import { MigrationError } from '../data/migrations/migrations.ts';

/** A command failed for a reason that the operator can fix. Printed as one line, without a stack trace. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** The exit code: 2 for an invalid environment, 1 for any other failure. */
export function exitCodeOf(error: unknown): number {
  return error instanceof ConfigError ? 2 : 1;
}

/** The message for the operator. Only unexpected errors include a stack trace. */
export function describeFailure(error: unknown): string {
  if (
    error instanceof ConfigError ||
    error instanceof CommandError ||
    error instanceof MigrationError ||
    error instanceof FolderInUseError ||
    error instanceof KeyFileError ||
    error instanceof KeyRegistryError
  ) {
    return error.message;
  }
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EACCES' || code === 'EROFS' || code === 'ENOSPC')
    return error.message;
  return error.stack ?? error.message;
}
