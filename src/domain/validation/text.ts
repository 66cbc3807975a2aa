import type { Issues } from './issues.ts';

type Path = readonly (string | number)[];

/** The text without leading and trailing white space. */
export function trimmed(text: string): string {
  return text.trim();
}

/** Whether PostgreSQL can store the text unchanged: no NUL, no lone surrogate. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** The number of code points, which approximates what a person would count. */
export function countCharacters(text: string): number {
  return [...text].length;
}

/** Reports text that cannot be stored or is too long. Returns whether the text is valid. */
export function checkText(issues: Issues, path: Path, text: string, maxCharacters: number): boolean {
  if (!isStorable(text)) {
    issues.add(path, 'INVALID_CHARACTER', 'Contains a NUL character or half of a surrogate pair; remove it.');
    return false;
  }
  if (countCharacters(text) > maxCharacters) {
    issues.add(path, 'TOO_LONG', `Is longer than ${maxCharacters.toLocaleString('en')} characters.`);
    return false;
  }
  return true;
}

/** Reports invalid single-line text: as `checkText`, and no control characters. */
export function checkLine(issues: Issues, path: Path, text: string, maxCharacters: number): boolean {
  if (!checkText(issues, path, text, maxCharacters)) return false;
  // Also refuse bidirectional controls, so that a name cannot be made to look like another.
  if (!/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(text)) return true;
  issues.add(path, 'INVALID_CHARACTER', 'Contains a control character, such as a line break; remove it.');
  return false;
}

/** Trims the names and removes empty ones and duplicates. The order is kept. */
export function toNameList(names: readonly string[]): string[] {
  return [...new Set(names.map(trimmed).filter((name) => name !== ''))];
}
