import type { Issues } from '../validation/issues.ts';

/** Where a value stands in the file. */
export type FilePath = readonly (string | number)[];

const MAX_SHOWN_NAME = 64;

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text of the file that is shown in several places, cut, so that no answer becomes larger than what was sent. */
export function toShown(text: string, maxLength = MAX_SHOWN_NAME): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}…`;
}

/**
 * Reads the fields of one object of a file, reports those of a wrong type, and remembers which nobody asked for. Null
 * is passed on: it says "clear this" in our own format. Where several names are given, the first that is there counts.
 */
export class FieldReader {
  readonly path: FilePath;
  readonly issues: Issues;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #asked = new Set<string>();

  constructor(issues: Issues, path: FilePath, object: Readonly<Record<string, unknown>>) {
    this.issues = issues;
    this.path = path;
    this.#object = object;
  }

  /** The first of these fields that is there, with its name. */
  take(...names: readonly string[]): { name: string; value: unknown } | undefined {
    // What every object inherits is not in the file.
    const name = names.find((each) => Object.hasOwn(this.#object, each));
    if (name === undefined) return undefined;
    this.#asked.add(name);
    return { name, value: this.#object[name] };
  }

  text(...names: readonly string[]): string | null | undefined {
    return this.#typed(names, (value) => typeof value === 'string', 'text');
  }

  flag(name: string): boolean | null | undefined {
    return this.#typed([name], (value) => typeof value === 'boolean', 'true or false');
  }

  texts(...names: readonly string[]): string[] | null | undefined {
    return this.#typed(names, isTextList, 'a list of texts');
  }

  /** Another object inside of this one. */
  object(...names: readonly string[]): FieldReader | null | undefined {
    const taken = this.take(...names);
    if (taken === undefined || taken.value === null) return taken === undefined ? undefined : null;
    if (isObject(taken.value)) return new FieldReader(this.issues, [...this.path, toShown(taken.name)], taken.value);
    this.wrong(taken.name, 'an object');
    return undefined;
  }

  /** The objects of a list; those of a wrong type are reported and left out. */
  objects(name: string): FieldReader[] | undefined {
    const list = this.#typed<unknown[]>([name], Array.isArray, 'a list');
    return list?.flatMap((value, index) => {
      const path = [...this.path, name, index];
      if (isObject(value)) return [new FieldReader(this.issues, path, value)];
      this.issues.add(path, 'WRONG_TYPE', 'Must be an object.');
      return [];
    });
  }

  /** Every field with its name. */
  entries(): [string, unknown][] {
    return Object.entries(this.#object);
  }

  /** Reports a field that is not what it should be. */
  wrong(name: string, expected: string): void {
    this.issues.add([...this.path, toShown(name)], 'WRONG_TYPE', `Must be ${expected}.`);
  }

  /** Reports a field that is missing. */
  require(name: string, message: string): void {
    if (!this.issues.has(...this.path, name)) this.issues.add([...this.path, name], 'REQUIRED', message);
  }

  /** A note on the fields that nobody asked for; undefined when there are none. */
  noteIgnored(): string | undefined {
    const ignored = Object.keys(this.#object).filter((name) => !this.#asked.has(name));
    // What does not look like the name of a field may be a secret in a wrong place.
    const shown = ignored.filter((name) => /^[$\w.-]{1,64}$/.test(name)).slice(0, 20);
    const more = ignored.length - shown.length;
    const names = [...shown.map((name) => `"${name}"`), ...(more > 0 ? [`${more} more`] : [])];
    return names.length === 0 ? undefined : `Ignored, for the gateway has nothing like it: ${names.join(', ')}.`;
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
