import { Issues } from '../../domain/validation/issues.ts';

/** The reason of the arguments that `input` replaces. */
export const USE_INPUT = 'Use `input`.';

/** The arguments that a mutation had before it took `input`. The fields of `patch` count as if they were beside it. */
export interface FormerArguments {
  readonly patch?: object | null | undefined;
  readonly [name: string]: unknown;
}

/**
 * Returns what a mutation is asked to do, from `input` or from the arguments that it replaced.
 *
 * @param required the fields that must be given in either form
 * @throws VALIDATION_FAILED when both forms are mixed, when there is neither, or when a required field is absent
 */
export function takeInput<Input extends object, Key extends keyof Input & string>(
  input: Input | null | undefined,
  former: FormerArguments,
  required: readonly Key[],
): Input & { [Name in Key]-?: NonNullable<Input[Name]> } {
  const issues = new Issues();
  const { patch, ...single } = former;
  const given = Object.keys(former).filter((name) => former[name] != null);
  if (input != null) {
    for (const name of given) issues.add([name], 'AMBIGUOUS', 'Give this in `input`, and nothing beside it.');
  }
  for (const name of new Set([...required, ...Object.keys(single)])) {
    if (isGiven(patch, name)) issues.add(['patch', name], 'AMBIGUOUS', 'Give this in `input`, or beside `patch`.');
  }
  if (input == null && given.length === 0 && required.length > 0) issues.add(['input'], 'REQUIRED', 'Give `input`.');
  issues.throwIfAny();
  const taken = input ?? ({ ...patch, ...single } as Input);
  for (const name of required) if (taken[name] == null) issues.add([name], 'REQUIRED', 'This must be given.');
  issues.throwIfAny();
  return taken as Input & { [Name in Key]-?: NonNullable<Input[Name]> };
}

function isGiven(patch: object | null | undefined, name: string): boolean {
  return (patch as Readonly<Record<string, unknown>> | null | undefined)?.[name] != null;
}
