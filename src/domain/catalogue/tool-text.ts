/** Characters that change how text reads and cannot be seen: ignorable ones, and controls other than white space. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}\u2028\u2029\ufff9-\ufffb]/gu;
const WHITE_SPACE = /^[\t\n\r]$/;
const BIDI = /\p{Bidi_Control}/u;
/** Emoji are made with joiners and variation selectors, which are fine there. Needs the `v` flag. */
const RGI_EMOJI = '\\p{RGI_Emoji}';
const EMOJI = new RegExp(RGI_EMOJI, 'gv');

/** Whether a text has characters that a reader cannot see. */
export function hasInvisible(text: string): boolean {
  return (withoutEmoji(text).match(INVISIBLE) ?? []).some((character) => !WHITE_SPACE.test(character));
}

/** Whether a text has characters that change the direction in which it is shown. */
export function hasBidiControl(text: string): boolean {
  return BIDI.test(text);
}

/** The text with each invisible character written as `\u{…}`, so that a person sees it. */
export function showInvisible(text: string): string {
  return text.replace(INVISIBLE, (character) =>
    WHITE_SPACE.test(character) ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** Calls `visit` with each text in a JSON value, names of properties included. Does not recurse: values may be deep. */
export function forEachText(value: unknown, visit: (text: string, key: string | undefined) => void): void {
  const rest: { key: string | undefined; value: unknown }[] = [{ key: undefined, value }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { key, value: each } = next;
    if (typeof each === 'string') visit(each, key);
    else if (Array.isArray(each)) for (const item of each) rest.push({ key, value: item });
    else if (typeof each === 'object' && each !== null) {
      for (const [name, member] of Object.entries(each)) {
        visit(name, undefined);
        rest.push({ key: name, value: member });
      }
    }
  }
}

function withoutEmoji(text: string): string {
  return /[\u200d\ufe0f\u{e0020}-\u{e007f}]/u.test(text) ? text.replace(EMOJI, '') : text;
}
