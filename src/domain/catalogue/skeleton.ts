/** Letters of other alphabets, and digits, that look like Latin letters. */
const LOOK_ALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['a', 'аαɑ'],
    ['b', 'ьβ'],
    ['c', 'сϲ'],
    ['d', 'ԁ'],
    ['e', 'еεҽ'],
    ['g', 'ɡ'],
    ['h', 'һ'],
    ['i', 'іιı1l|'],
    ['j', 'јϳ'],
    ['k', 'кκ'],
    ['m', 'м'],
    ['n', 'пη'],
    ['o', 'оοσ0'],
    ['p', 'рρ'],
    ['q', 'ԛ'],
    ['r', 'г'],
    ['s', 'ѕ5'],
    ['t', 'тτ'],
    ['u', 'υս'],
    ['v', 'νѵ'],
    ['w', 'ԝω'],
    ['x', 'хχ'],
    ['y', 'уүγ'],
  ].flatMap(([latin = '', others = '']) => [...others].map((other) => [other, latin])),
);

/**
 * A name as the eye reads it: names with the same skeleton look alike. After the idea of Unicode Technical Standard 39,
 * for the alphabets whose letters look like Latin ones.
 */
export function toSkeleton(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/[\p{Mn}\p{Default_Ignorable_Code_Point}]/gu, '')
    .toLowerCase();
  const letters = [...plain].map((character) => LOOK_ALIKES[character] ?? character).join('');
  return letters
    .replace(/rn/g, 'm')
    .replace(/vv/g, 'w')
    .replace(/[\s._-]+/g, '_');
}
