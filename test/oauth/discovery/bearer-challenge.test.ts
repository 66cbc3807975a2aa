import { describe, expect, test } from 'vitest';
import { type BearerChallenge, parseBearerChallenge } from '../../../src/domain/oauth/discovery/bearer-challenge.ts';

const URL_TEXT = 'https://mcp.example.com/.well-known/oauth-protected-resource';
const NOTHING: BearerChallenge = { resourceMetadata: null, scope: null };
const METADATA: BearerChallenge = { resourceMetadata: URL_TEXT, scope: null };
const EVIL = 'https://evil.example/';

describe('the bearer challenge of a header', () => {
  test.each<[string, string, BearerChallenge | null]>([
    ['alone', 'Bearer', NOTHING],
    ['with quoted metadata', `Bearer resource_metadata="${URL_TEXT}"`, METADATA],
    ['with scopes', 'Bearer scope="files:read files:write"', { ...NOTHING, scope: 'files:read files:write' }],
    [
      'with both, over two lines',
      `Bearer resource_metadata="${URL_TEXT}",\t  scope="a b"`,
      { resourceMetadata: URL_TEXT, scope: 'a b' },
    ],
    ['with a value that is a token', 'Bearer scope=read', { ...NOTHING, scope: 'read' }],
    ['in small letters', `bearer RESOURCE_METADATA="${URL_TEXT}"`, METADATA],
    ['in capital letters', `BEARER Resource_Metadata="${URL_TEXT}"`, METADATA],
    ['with spaces around "="', `Bearer resource_metadata \t=\t "${URL_TEXT}"`, METADATA],
    ['behind another scheme', `Basic realm="x", Bearer resource_metadata="${URL_TEXT}"`, METADATA],
    ['before another scheme', `Bearer resource_metadata="${URL_TEXT}", Basic realm="x"`, METADATA],
    ['behind a token68', `Negotiate YIIabc+/d==, Bearer resource_metadata="${URL_TEXT}"`, METADATA],
    ['behind a scheme alone', `Negotiate, Bearer resource_metadata="${URL_TEXT}"`, METADATA],
    ['with a token68 itself', 'Bearer abc==', NOTHING],
    ['behind empty elements', `, ,Bearer , resource_metadata="${URL_TEXT}",,`, METADATA],
    ['with escapes', String.raw`Bearer scope="a\"b\\c\d"`, { ...NOTHING, scope: String.raw`a"b\cd` }],
    ['with commas in a text', `Bearer realm="a, b, c", resource_metadata="${URL_TEXT}"`, METADATA],
    ['with an empty text', 'Bearer scope=""', { ...NOTHING, scope: '' }],
    ['with letters of Latin-1', `Bearer realm="caf\xe9", resource_metadata="${URL_TEXT}"`, METADATA],
    ['with parameters that nobody knows', `Bearer x=1, resource_metadata="${URL_TEXT}", __proto__="y"`, METADATA],
    ['that names metadata, of several', `Bearer scope=a, Bearer resource_metadata="${URL_TEXT}"`, METADATA],
    [
      'that is the first to name metadata',
      `Bearer resource_metadata="${URL_TEXT}", Bearer resource_metadata="x"`,
      METADATA,
    ],
    ['that names scopes, of several', 'Bearer realm=a, Bearer scope=b', { ...NOTHING, scope: 'b' }],
    ['before nonsense', `Bearer resource_metadata="${URL_TEXT}", Basic realm=my realm`, METADATA],
    ['in a text of its own is no other one', `Bearer realm="Bearer resource_metadata=x"`, NOTHING],
    ['whose escaped quote ends no text', String.raw`Bearer realm="\", resource_metadata=\"x"`, NOTHING],
    // None that counts.
    ['is not in an empty header', '', null],
    ['is not in separators', ' , ,\t', null],
    ['is not in another scheme', `Basic resource_metadata="${EVIL}"`, null],
    ['is not in the text of another scheme', `Basic realm="x, Bearer resource_metadata=y"`, null],
    ['is not in a scheme that starts alike', `Bearers resource_metadata="${EVIL}"`, null],
    ['is not in a scheme that ends alike', `DBearer resource_metadata="${EVIL}"`, null],
    ['is not parameters without a scheme', `resource_metadata="${EVIL}"`, null],
    ['is not what names its metadata twice', `Bearer resource_metadata="${EVIL}", Resource_Metadata="${EVIL}"`, null],
    ['is not a text without an end', `Bearer resource_metadata="${EVIL}`, null],
    ['is not a text whose end is escaped', String.raw`Bearer resource_metadata="${EVIL}\"`, null],
    ['is not without the comma', `Bearer realm="x" resource_metadata="${EVIL}"`, null],
    ['is not with something behind a text', `Bearer resource_metadata="${EVIL}"x`, null],
    ['is not with an unquoted URL', `Bearer resource_metadata=${EVIL}`, null],
    ['is not two schemes without a comma', `Basic Bearer resource_metadata="${EVIL}"`, null],
    ['is not parameters behind a token68', `Bearer abc==, resource_metadata="${EVIL}"`, null],
    ['is not with a control character', `Bearer resource_metadata="${EVIL}\x00"`, null],
    ['is not with letters beyond a byte', `Bearer resource_metadata="${EVIL}\u0431"`, null],
    ['is not with single quotes', `Bearer resource_metadata='${EVIL}'`, null],
    ['is not with a semicolon', `Bearer realm="x"; resource_metadata="${EVIL}"`, null],
    ['is not with a colon behind the scheme', `Bearer: resource_metadata="${EVIL}"`, null],
    ['is not with "=" twice', `Bearer resource_metadata=="${EVIL}"`, null],
    ['is not behind nonsense', `Basic realm=my realm, Bearer resource_metadata="${EVIL}"`, null],
    ['is not in a header beyond 16 KB', `Bearer resource_metadata="${URL_TEXT}", x="${'y'.repeat(16_384)}"`, null],
  ])('%s', (_what, header, expected) => {
    expect(parseBearerChallenge(header)).toEqual(expected);
  });

  test.each([
    ['commas', ','.repeat(16_384)],
    ['schemes', 'a,'.repeat(8_192)],
    ['escapes', `Bearer a="${'\\\\'.repeat(8_000)}`],
    ['a token', `Bearer ${'a'.repeat(16_000)} !`],
    ['signs of equality', `Bearer a${'='.repeat(16_000)}!`],
    ['spaces', `Bearer a${' '.repeat(16_000)}!`],
    ['parameters', `Bearer ${'a=b,'.repeat(4_000)}"`],
  ])('is rejected quickly in a header full of %s', (_what, header) => {
    expect(parseBearerChallenge(header)).toBeNull();
  });
});
