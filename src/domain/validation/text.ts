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

/**
 * Characters that nobody sees, or that change the order of the text around them: with one, a name can look like another.
 * Line breaks are among the controls (Cc), the line and paragraph separators (Zl, Zp) are not.
 */
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u;
/** Whole emoji. Some consist of several characters, of which some are invisible by themselves: joiners, variants, tags. */
const EMOJI = /\p{RGI_Emoji}/gv;

/** Whether text contains a character that nobody sees, outside of emoji. */
export function hasHiddenCharacter(text: string): boolean {
  return HIDDEN.test(text) && HIDDEN.test(text.replaceAll(EMOJI, ''));
}

/**
 * Reports an invalid name, or other text of one line: as `checkText`, and no hidden characters. This is the one rule for
 * everything that people tell apart by reading it.
 */
export function checkName(issues: Issues, path: Path, text: string, maxCharacters: number): boolean {
  if (!checkText(issues, path, text, maxCharacters)) return false;
  if (!hasHiddenCharacter(text)) return true;
  const message = 'Contains a line break, another control character or an invisible character; type it again without.';
  issues.add(path, 'INVALID_CHARACTER', message);
  return false;
}

/** Trims the names and removes empty ones and duplicates. The order is kept. */
export function toNameList(names: readonly string[]): string[] {
  return [...new Set(names.map(trimmed).filter((name) => name !== ''))];
}
