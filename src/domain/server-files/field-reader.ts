import type { Issues } from '../validation/issues.ts';
import { findSimilarName } from '../validation/nearest-name.ts';

/** The path of a value in the file. */
export type FilePath = readonly (string | number)[];

const MAX_SHOWN_NAME = 64;

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A name without case, dashes and underscores, to recognise a field in every spelling. */
export function toPlainName(name: string): string {
  return name
    .slice(0, MAX_SHOWN_NAME)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

/** The text of a value that a header can have. Undefined for lists, objects and null. */
export function toHeaderText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/**
 * Truncates text from a file for display in several places, so that a response cannot become larger than the request.
 */
export function toShown(text: string, maxLength = MAX_SHOWN_NAME): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}…`;
}

/**
 * Reads the fields of an object in a file, reports wrong types, and tracks unused fields. Null is returned as is,
 * because it clears a field in our own format. Of several names, the first that is present counts.
 */
export class FieldReader {
  readonly path: FilePath;
  readonly issues: Issues;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #read = new Set<string>();

  constructor(issues: Issues, path: FilePath, object: Readonly<Record<string, unknown>>) {
    this.issues = issues;
    this.path = path;
    this.#object = object;
  }

  /** The first of these fields that is present, with its name. */
  take(...names: readonly string[]): { name: string; value: unknown } | undefined {
    // Inherited properties are not in the file.
    const name = names.find((each) => Object.hasOwn(this.#object, each));
    if (name === undefined) return undefined;
    this.#read.add(name);
    return { name, value: this.#object[name] };
  }

  /** The value of a field, without counting it as used. */
  peek(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  text(...names: readonly string[]): string | null | undefined {
    return this.#typed(names, (value) => typeof value === 'string', 'text');
  }

  flag(...names: readonly string[]): boolean | null | undefined {
    return this.#typed(names, (value) => typeof value === 'boolean', 'true or false');
  }

  texts(...names: readonly string[]): string[] | null | undefined {
    return this.#typed(names, isTextList, 'a list of texts');
  }

  /** A nested object. */
  object(...names: readonly string[]): FieldReader | null | undefined {
    const taken = this.take(...names);
    if (taken === undefined || taken.value === null) return taken === undefined ? undefined : null;
    if (isObject(taken.value)) return new FieldReader(this.issues, [...this.path, toShown(taken.name)], taken.value);
    this.wrong(taken.name, 'an object');
    return undefined;
  }

  /** The objects in a list. Entries of a wrong type are reported and omitted. */
  objects(name: string): FieldReader[] | undefined {
    const list = this.#typed<unknown[]>([name], Array.isArray, 'a list');
    return list?.flatMap((value, index) => {
      const path = [...this.path, name, index];
      if (isObject(value)) return [new FieldReader(this.issues, path, value)];
      this.issues.add(path, 'WRONG_TYPE', 'Must be an object.');
      return [];
    });
  }

  /** All fields with their names. */
  entries(): [string, unknown][] {
    return Object.entries(this.#object);
  }

  /** Reports a field with a wrong value. */
  wrong(name: string, expected: string): void {
    this.issues.add([...this.path, toShown(name)], 'WRONG_TYPE', `Must be ${expected}.`);
  }

  /** Reports a missing field. */
  require(name: string, message: string): void {
    if (!this.issues.has(...this.path, name)) this.issues.add([...this.path, name], 'REQUIRED', message);
  }

  /** The names of the unused fields. */
  unused(): string[] {
    return Object.keys(this.#object).filter((name) => !this.#read.has(name));
  }

  /**
   * A note about the unused fields. Undefined when there are none.
   *
   * @param known the names of which the nearest is shown for an unused field that is almost one of them
   */
  describeIgnored(known: readonly string[] = []): string | undefined {
    const ignored = this.unused();
    // A name that does not look like a field name may be a misplaced secret.
    const shown = ignored.filter((name) => /^[$\w.-]{1,64}$/.test(name)).slice(0, 20);
    const more = ignored.length - shown.length;
    const names = [
      ...shown.map((name) => `"${name}"${suggestSimilar(name, known)}`),
      ...(more > 0 ? [`${more} more`] : []),
    ];
    return names.length === 0 ? undefined : `Ignored, because the gateway does not support it: ${names.join(', ')}.`;
  }

  #typed<Value>(
    names: readonly string[],
    isRight: (value: unknown) => boolean,
    expected: string,
  ): Value | null | undefined {
    const taken = this.take(...names);
    if (taken === undefined || taken.value === null) return taken === undefined ? undefined : null;
    if (isRight(taken.value)) return taken.value as Value;
    this.wrong(taken.name, expected);
    return undefined;
  }
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function suggestSimilar(name: string, known: readonly string[]): string {
  const similar = findSimilarName(name, known);
  return similar === undefined ? '' : ` (did you mean "${similar}"?)`;
}
