import { readFileSync } from 'node:fs';
import {
  buildSchema,
  findBreakingChanges,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  specifiedDirectives,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { INTENDED_CHANGES } from './intended-changes.ts';

const read = (file: string) => buildSchema(readFileSync(new URL(file, import.meta.url), 'utf8'));
const schema = read('../../schema.graphql');
const released = read('last-release.graphql');

/** Everything that can have a description, by its coordinate. */
function listDescriptions(): [coordinate: string, description: string | null | undefined][] {
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !type.name.startsWith('__') && !(isScalarType(type) && isSpecifiedScalarType(type)),
  );
  return [
    ...types.flatMap((type): [string, string | null | undefined][] => [
      [type.name, type.description],
      ...(isEnumType(type)
        ? type
            .getValues()
            .map(({ name, description }): [string, string | null | undefined] => [`${type.name}.${name}`, description])
        : []),
      ...(isInputObjectType(type)
        ? Object.values(type.getFields()).map(({ name, description }): [string, string | null | undefined] => [
            `${type.name}.${name}`,
            description,
          ])
        : []),
      ...(isObjectType(type) || isInterfaceType(type)
        ? Object.values(type.getFields()).flatMap((field): [string, string | null | undefined][] => [
            [`${type.name}.${field.name}`, field.description],
            ...field.args.map((arg): [string, string | null | undefined] => [
              `${type.name}.${field.name}(${arg.name}:)`,
              arg.description,
            ]),
          ])
        : []),
    ]),
    ...schema
      .getDirectives()
      .filter((directive) => !specifiedDirectives.some(({ name }) => name === directive.name))
      .map(({ name, description }): [string, string | null | undefined] => [`@${name}`, description]),
  ];
}

describe('every type, field, argument and value', () => {
  const described = listDescriptions();

  test('has a description in whole sentences', () => {
    expect(described.length).toBeGreaterThan(500);
    const bad = described.filter(
      ([, description]) => description == null || !/^[A-Z"`\d][\s\S]*[.!)]$/.test(description.trim()),
    );
    expect(bad).toEqual([]);
  });

  test('is described without words that only the code knows', () => {
    const words = /\b(policy|repository|repositories|resolver|prisma|middleware|upsert|DTO|boolean flag|TODO)\b/i;
    expect(described.filter(([, description]) => words.test(description ?? ''))).toEqual([]);
  });
});

test('every scalar of the gateway says where it is specified', () => {
  const own = Object.values(schema.getTypeMap())
    .filter(isScalarType)
    .filter((type) => !isSpecifiedScalarType(type));
  expect(own.map(({ name }) => name).sort()).toEqual(['DateTime', 'JSON', 'UUID']);
  for (const { name, specifiedByURL } of own) expect(specifiedByURL, name).toMatch(/^https?:/);
});

test('breaks clients of the last release only where it is intended', () => {
  const changes = findBreakingChanges(released, schema).map(({ type, description }) => `${type}: ${description}`);
  expect(changes.sort()).toEqual([...INTENDED_CHANGES].sort());
});

test('a field that is taken away would be noticed', () => {
  const without = readFileSync(new URL('last-release.graphql', import.meta.url), 'utf8').replace(
    '  viewer: User!',
    '  caller: User!',
  );
  const [change] = findBreakingChanges(released, buildSchema(without));
  expect(change).toMatchObject({ type: 'FIELD_REMOVED', description: 'Query.viewer was removed.' });
});
