import { describe, expect, test } from 'vitest';
import { Issues } from '../../src/domain/validation/issues.ts';
import { checkName } from '../../src/domain/validation/text.ts';

/** Copied from the Unicode Character Database, so that the rule is not compared with itself. */
const HIDDEN_RANGES: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  // DerivedGeneralCategory.txt
  'controls (Cc)': [
    [0x00, 0x1f],
    [0x7f, 0x9f],
  ],
  'line and paragraph separators (Zl, Zp)': [[0x2028, 0x2029]],
  // PropList.txt
  Bidi_Control: [
    [0x061c, 0x061c],
    [0x200e, 0x200f],
    [0x202a, 0x202e],
    [0x2066, 0x2069],
  ],
  // DerivedCoreProperties.txt
  Default_Ignorable_Code_Point: [
    [0xad, 0xad],
    [0x034f, 0x034f],
    [0x061c, 0x061c],
    [0x115f, 0x1160],
    [0x17b4, 0x17b5],
    [0x180b, 0x180f],
    [0x200b, 0x200f],
    [0x202a, 0x202e],
    [0x2060, 0x206f],
    [0x3164, 0x3164],
    [0xfe00, 0xfe0f],
    [0xfeff, 0xfeff],
    [0xffa0, 0xffa0],
    [0xfff0, 0xfff8],
    [0x1bca0, 0x1bca3],
    [0x1d173, 0x1d17a],
    [0xe0000, 0xe0fff],
  ],
};

const isGood = (text: string): boolean => checkName(new Issues(), ['name'], text, 100);
const isSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdfff;

test('every code point is refused that is in a range of hidden ones, and no other', () => {
  const ranges = Object.values(HIDDEN_RANGES).flat();
  const wrong: string[] = [];
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const isHidden = isSurrogate(code) || ranges.some(([first, last]) => code >= first && code <= last);
    if (isGood(`a${String.fromCodePoint(code)}b`) === isHidden) wrong.push(code.toString(16));
  }
  expect(wrong).toEqual([]);
});

describe('an emoji', () => {
  test.each([
    ['of one character', '🔑'],
    ['with a variation selector', '❤️'],
    ['of a digit', '1️⃣'],
    ['with a skin colour', '👋🏽'],
    ['with a joiner', '👩‍💻'],
    ['with joiners and a variation selector', '🏳️‍🌈'],
    ['of a family', '👨‍👩‍👧‍👦'],
    ['of a country', '🇩🇪'],
    ['with tags', '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'],
  ])('%s is part of a name', (_what, emoji) => {
    expect(isGood(emoji)).toBe(true);
    expect(isGood(`Keys ${emoji}${emoji} and more`)).toBe(true);
  });

  test.each([
    ['a joiner after an emoji', '👩‍'],
    ['a joiner before an emoji', '‍💻'],
    ['two joiners', '👩‍‍💻'],
    ['a joiner between letters', 'git‍hub'],
    ['an emoji joined with a letter', '👩‍a'],
    ['a variation selector after a letter', 'a\ufe0f'],
    ['a second variation selector', '❤\ufe0f\ufe0f'],
    ['tags that spell another text', '🏴\u{e0061}\u{e0064}\u{e006d}\u{e0069}\u{e006e}\u{e007f}'],
    ['tags without an end', '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}'],
    ['tags after a letter', 'a\u{e0067}\u{e0062}\u{e007f}'],
    ['a hidden character beside a good emoji', '👩‍💻\u200b'],
  ])('does not excuse %s', (_what, text) => {
    expect(isGood(text)).toBe(false);
  });
});
