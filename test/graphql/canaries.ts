import { randomBytes, randomInt } from 'node:crypto';

const newCanary = () => `canary${randomBytes(8).toString('hex')}`;

/** A canary for each secret that a mutation takes. The digits are for tests that send a number instead of a text. */
export const SECRET = newCanary();
export const KEY = newCanary();
export const HEADER = newCanary();
export const DIGITS = randomInt(10 ** 13, 10 ** 14);

/** All forms in which a canary could appear in an answer: plain, base64 at each of three offsets, hexadecimal. */
export const TRACES = [SECRET, KEY, HEADER, String(DIGITS)].flatMap((canary) => [
  canary,
  Buffer.from(canary).toString('hex'),
  ...[0, 1, 2].map((offset) => Buffer.from(canary.slice(offset)).toString('base64').slice(0, -4)),
]);

/** Text around a canary at which a masked message might be cut. */
const WRAPPINGS = ['%', 'a; %', '%; a', 'x" at "input.slug"; %', ': %', 'found %', '"%"', "'%'", '\\"%', '%\n', '`%$`'];
export const DECOYS = WRAPPINGS.map((wrapping) => (canary: string) => wrapping.replace('%', () => canary));

/** The three secrets of a config, each containing its canary. */
export function secretsWith(wrap: (canary: string) => unknown): Record<string, unknown> {
  return {
    oauth2ClientSecret: wrap(SECRET),
    apiKeyValue: wrap(KEY),
    customHeaders: [{ name: 'X-Canary', value: wrap(HEADER) }],
  };
}

const huge = 'x'.repeat(70_000);

/** Every known way to send a secret wrongly. */
export const WRONG: Readonly<Record<string, unknown>> = {
  'with a line break': secretsWith((canary) => `${canary}\r\nX-Evil: 1`),
  'with a NUL': secretsWith((canary) => `${canary}\0`),
  'with half of a surrogate pair': secretsWith((canary) => `${canary}\ud800`),
  'as lists': secretsWith((canary) => DECOYS.map((wrap) => wrap(canary))),
  'as objects': secretsWith((canary) => ({ value: canary, [canary.slice(0, 3)]: canary })),
  'as numbers': secretsWith(() => DIGITS),
  'as deep objects': secretsWith((canary) => ({ a: { b: { c: [canary] } } })),
  'as headers by name': { customHeaders: { 'X-Canary': HEADER } },
  'as a header that is text': { customHeaders: [HEADER] },
  'as headers that are text': { customHeaders: HEADER },
  'as a header without a name': { customHeaders: [{ value: HEADER }] },
  'as a header with more': { customHeaders: [{ name: 'X', value: HEADER, note: HEADER }] },
  'as a list of lists': { customHeaders: [[{ name: 'X', value: HEADER }, [HEADER]]] },
  'twice, in two cases': {
    customHeaders: [
      { name: 'X-A', value: HEADER },
      { name: 'x-a', value: HEADER },
    ],
  },
  'under a reserved name': { customHeaders: [{ name: 'Host', value: HEADER }] },
  'too long': { oauth2ClientSecret: SECRET + huge, apiKeyValue: KEY + huge },
  'under an unknown name': { clientSecret: SECRET, api_key_value: KEY },
  'where a choice belongs': { authType: KEY, transport: SECRET, availability: HEADER },
  'where a boolean belongs': { enabled: KEY },
  'where lists belong': { toolAllowList: { a: KEY }, oauth2Scopes: [[SECRET]] },
  'beside other problems': { ...secretsWith((canary) => canary), displayName: '', url: 'http://example.com/' },
  'beside missing fields': { ...secretsWith((canary) => canary), authType: 'OAUTH2', oauth2ClientId: null },
};

/** The same inline, for the parser and the validation rules. */
export const LITERALS: readonly (readonly [string, string])[] = [
  ['a number', `apiKeyValue: ${DIGITS}`],
  ['a name', `apiKeyValue: ${KEY}`],
  ['a list', `apiKeyValue: ["${KEY}"]`],
  ['an object', `apiKeyValue: { a: "${KEY}" }`],
  ['an unknown field', `apiKeyvalue: "${KEY}"`],
  ['a choice in quotes', `authType: "${KEY}"`],
  ['an unknown choice', `authType: ${KEY}`],
  ['a header that is text', `customHeaders: "${HEADER}"`],
  ['headers by name', `customHeaders: { X: "${HEADER}" }`],
  ['given twice', `apiKeyValue: "${KEY}", apiKeyValue: "${KEY}"`],
  ['followed by another text', `apiKeyValue: "a" "${KEY}"`],
  ['before its name', `"${KEY}" apiKeyValue`],
  ['without a colon', `apiKeyValue "${KEY}"`],
  ['with a bad escape', `apiKeyValue: "${KEY}\\u12"`],
  ['a text that does not end', `apiKeyValue: "${KEY}`],
  ['a block', `apiKeyValue: """${KEY}""" """${KEY}"""`],
  ['a number with letters', `apiKeyValue: ${DIGITS}${KEY}`],
  ['beside a variable that is not there', `apiKeyValue: "${KEY}", slug: $nope`],
  ['a broken rule', `apiKeyValue: "${KEY}\\r\\n", slug: "-"`],
];
