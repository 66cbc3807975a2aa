import { expect, test } from 'vitest';
import { fieldsOfGraph } from './root-fields.ts';
import { VISIBLE_TO } from './visible-to.ts';

// Not with the tests that ask for each field: the lists in CONTRIBUTING.md need only this one.

test('the table has exactly the fields of the schema', () => {
  expect(Object.keys(VISIBLE_TO).sort()).toEqual(fieldsOfGraph);
});
