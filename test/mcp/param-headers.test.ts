import { describe, expect, test } from 'vitest';
import { breaksHeaderRules, toParamHeaders } from '../../src/mcp/param-headers.ts';

const toSchema = (properties: object) => ({ type: 'object', properties });
const HEADER = { type: 'string', 'x-mcp-header': 'Region' };

describe('arguments in headers', () => {
  test('are those that the schema names, at any depth of properties', () => {
    const schema = toSchema({
      region: HEADER,
      count: { type: 'integer', 'x-mcp-header': 'Count' },
      deep: toSchema({ dry: { type: 'boolean', 'x-mcp-header': 'Dry-Run' } }),
      plain: { type: 'string' },
    });
    const args = { region: 'eu west', count: 3, deep: { dry: false }, plain: 'no' };
    expect(toParamHeaders(schema, args)).toEqual({
      'Mcp-Param-Region': 'eu west',
      'Mcp-Param-Count': '3',
      'Mcp-Param-Dry-Run': 'false',
    });
  });

  test.each([[{}], [{ region: null }], [{ region: ['a'] }], [{ region: { a: 1 } }], [{ region: Number.NaN }]])(
    'are left out where there is no value that fits: %j',
    (args) => expect(toParamHeaders(toSchema({ region: HEADER }), args)).toEqual({}),
  );

  test('are taken from own properties only', () => {
    const schema = toSchema({ constructor: toSchema({ name: { type: 'string', 'x-mcp-header': 'Name' } }) });
    expect(toParamHeaders(schema, {})).toEqual({});
  });

  test.each([
    ['ü', '=?base64?w7w=?='],
    ['a\r\nX-Injected: 1', `=?base64?${Buffer.from('a\r\nX-Injected: 1').toString('base64')}?=`],
    [' leading', `=?base64?${Buffer.from(' leading').toString('base64')}?=`],
    ['trailing ', `=?base64?${Buffer.from('trailing ').toString('base64')}?=`],
    ['=?base64?eA==?=', `=?base64?${Buffer.from('=?base64?eA==?=').toString('base64')}?=`],
    ['a\nb', `=?base64?${Buffer.from('a\nb').toString('base64')}?=`],
    ['', ''],
  ])('with %j are written so that nobody takes them for something else', (text, expected) => {
    expect(toParamHeaders(toSchema({ region: HEADER }), { region: text })).toEqual({ 'Mcp-Param-Region': expected });
  });
});

describe('a schema breaks the rules', () => {
  test.each<[string, object]>([
    ['at its root', { type: 'object', 'x-mcp-header': 'Region' }],
    ['within items', toSchema({ list: { type: 'array', items: HEADER } })],
    ['within a choice', { type: 'object', oneOf: [toSchema({ region: HEADER })] }],
    ['within definitions', { type: 'object', $defs: { region: HEADER } }],
    ['with a name that is no token', toSchema({ region: { type: 'string', 'x-mcp-header': 'a b' } })],
    ['with a line break in the name', toSchema({ region: { type: 'string', 'x-mcp-header': 'a\r\nb' } })],
    ['with no name', toSchema({ region: { type: 'string', 'x-mcp-header': '' } })],
    ['with a number', toSchema({ region: { type: 'number', 'x-mcp-header': 'Region' } })],
    ['with an object', toSchema({ region: { type: 'object', 'x-mcp-header': 'Region' } })],
    ['with a name twice', toSchema({ a: HEADER, b: { type: 'string', 'x-mcp-header': 'REGION' } })],
  ])('%s', (_where, schema) => {
    expect(breaksHeaderRules(schema)).toBe(true);
    expect(toParamHeaders(schema, { region: 'eu', a: 'eu' })).toEqual({});
  });

  test('not where it has none, or only data that looks like it', () => {
    expect(breaksHeaderRules({ type: 'object' })).toBe(false);
    expect(
      breaksHeaderRules(toSchema({ a: { enum: [{ 'x-mcp-header': 'x' }], default: { 'x-mcp-header': '' } } })),
    ).toBe(false);
    // A property with the name of the keyword.
    expect(breaksHeaderRules(toSchema({ 'x-mcp-header': { type: 'string' } }))).toBe(false);
  });

  test('of any depth is looked through without exhausting the stack', () => {
    let schema: object = HEADER;
    for (let depth = 0; depth < 50_000; depth += 1) schema = { not: schema };
    expect(breaksHeaderRules(schema)).toBe(true);
  });
});
