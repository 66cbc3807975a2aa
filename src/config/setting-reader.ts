import { readFileSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that are secrets. Each can also be in a file, which the variable `<name>_FILE` names. */
const SECRET_SETTINGS: ReadonlySet<string> = new Set([
  'DATABASE_URL',
  'GATEHOUSE_ADMIN_TOKEN',
  'GATEHOUSE_ENCRYPTION_KEYS',
  'GATEHOUSE_OIDC_CLIENT_SECRET',
]);

/** Reads settings, and remembers their names. */
export interface SettingReader {
  /** A setting without the space around it; undefined when it is unset or empty. */
  text(name: string): string | undefined;
  /** The items of a comma-separated setting, without empty ones. */
  list(name: string): string[];
  /** The names of all settings that were read. */
  known: ReadonlySet<string>;
  /** Those of them that are set. */
  given: ReadonlySet<string>;
}

/**
 * Creates the reader of environment variables. A secret may be in a file instead, as container platforms provide them: the
 * variable with `_FILE` after its name says where. White space at both ends of the file does not count.
 *
 * @param problems gets what is wrong, never a value
 */
export function createSettingReader(env: Environment, problems: string[]): SettingReader {
  const known = new Set<string>();
  const given = new Set<string>();
  const plain = (name: string): string | undefined => {
    known.add(name);
    const value = env[name]?.trim() || undefined;
    if (value !== undefined) given.add(name);
    return value;
  };

  const text = (name: string): string | undefined => {
    const value = plain(name);
    const file = SECRET_SETTINGS.has(name) ? plain(`${name}_FILE`) : undefined;
    if (file === undefined) return value;
    if (value !== undefined) {
      problems.push(`${name}_FILE: cannot be set together with ${name}; remove one of them.`);
      return value;
    }
    return readSecretFile(`${name}_FILE`, file, problems);
  };

  return {
    text,
    list: (name) =>
      (text(name) ?? '')
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== ''),
    known,
    given,
  };
}

function readSecretFile(variable: string, file: string, problems: string[]): string | undefined {
  try {
    const value = readFileSync(file, 'utf8').trim();
    if (value !== '') return value;
    problems.push(`${variable}: the file is empty.`);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    problems.push(`${variable}: the file cannot be read (${code}).`);
  }
  return undefined;
}
