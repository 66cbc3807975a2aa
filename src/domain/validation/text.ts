import type { Issues } from './issues.ts';

type Path = readonly (string | number)[];

/** Without the white space around it. */
export function trimmed(text: string): string {
  return text.trim();
}

/** Whether PostgreSQL can keep the text as it is: no NUL, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Characters as a person counts them, near enough: code points. */
export function countCharacters(text: string): number {
  return [...text].length;
}

/** Reports text that cannot be stored or is too long. Returns whether it is good. */
export function checkText(issues: Issues, path: Path, text: string, maxCharacters: number): boolean {
  if (!isStorable(text)) {
    issues.add(path, 'INVALID_CHARACTER', 'Has a NUL character or half of a surrogate pair; remove it.');
    return false;
  }
  if (countCharacters(text) > maxCharacters) {
    issues.add(path, 'TOO_LONG', `Is longer than ${maxCharacters.toLocaleString('en')} characters.`);
    return false;
  }
  return true;
}

/** Reports text of one line: as `checkText`, and no control characters. */
export function checkLine(issues: Issues, path: Path, text: string, maxCharacters: number): boolean {
  if (!checkText(issues, path, text, maxCharacters)) return false;
  // Beside control characters those that turn the direction of writing: a name must not look like another.
  if (!/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(text)) return true;
  issues.add(path, 'INVALID_CHARACTER', 'Has a control character, such as a line break; remove it.');
  return false;
}

/** A list of names, trimmed, without empty ones and repetitions, in the order given. */
export function toNameList(names: readonly string[]): string[] {
  return [...new Set(names.map(trimmed).filter((name) => name !== ''))];
}
