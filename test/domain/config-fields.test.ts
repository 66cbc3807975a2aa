// On the embedded database: it compares code, and stores nothing.
import { isInputObjectType, isObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { toChangedColumns } from '../../src/domain/configs/config-changes.ts';
import { toDraft } from '../../src/domain/configs/config-draft.ts';
import { type ConfigInput, SECRET_FIELDS } from '../../src/domain/configs/config-input.ts';
import { checkDraft } from '../../src/domain/configs/config-rules.ts';
import { toConfigEvent } from '../../src/domain/feed/config-event.ts';
import { FIELD_KINDS, PLAIN_FIELDS, type PlainField } from '../../src/domain/server-files/server-fields.ts';
import { Issues } from '../../src/domain/validation/issues.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { CreateMcpServer, McpServer, UpdateMcpServer } from '../../src/http/rest/server-schemas.ts';
import type { Role, Viewer } from '../../src/policy/viewer.ts';
import { configRecord } from '../server-files/config-record.ts';

const schema = buildSchema();
const current = configRecord({});

/** The fields of an object or input type. */
function fieldsOf(typeName: string): string[] {
  const type = schema.getType(typeName);
  if (!isObjectType(type) && !isInputObjectType(type)) throw new Error(`the graph has no type ${typeName}`);
  return Object.keys(type.getFields());
}

function toSnakeCase(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A value of the field's kind that differs from the one in `current`. */
function changedValue(field: PlainField): unknown {
  const kind = FIELD_KINDS[field];
  if (kind.kind === 'text') return `${current[field]}x`;
  if (kind.kind === 'list') return ['another'];
  if (kind.kind === 'flag') return !current[field];
  return kind.choices.find((choice) => choice !== current[field]);
}

describe.each(PLAIN_FIELDS)('the field %s of a config', (field) => {
  test('can be written and read in the graph', () => {
    for (const type of ['CreateMcpServerConfigInput', 'UpdateMcpServerConfigInput', 'McpServerConfig']) {
      expect(fieldsOf(type), type).toContain(field);
    }
  });

  test('can be written and read over REST', () => {
    for (const body of [CreateMcpServer, UpdateMcpServer, McpServer]) {
      expect(Object.keys(body.shape)).toContain(toSnakeCase(field));
    }
  });

  test('is taken from the input, and stored', () => {
    const value = changedValue(field);
    const draft = toDraft(new Issues(), { [field]: value }, current);
    expect(draft[field]).toEqual(value);
    expect(toChangedColumns(draft, current)).toMatchObject({ [field]: value });
  });

  const { kind } = FIELD_KINDS[field];
  test.runIf(kind === 'text' || kind === 'list')('has a limit', () => {
    const issues = new Issues();
    const tooMuch = kind === 'text' ? 'x'.repeat(100_000) : Array.from({ length: 10_000 }, (_, index) => `x${index}`);
    const input: ConfigInput = { [field]: tooMuch };
    checkDraft(
      issues,
      { draft: toDraft(issues, input, current), input, before: { config: current, secretOrigins: {} } },
      () => false,
    );
    expect(issues.has(field)).toBe(true);
  });

  test('is in the change feed for those who see it', () => {
    const type = schema.getType('McpServerConfig');
    const description = isObjectType(type) ? type.getFields()[field]?.description : undefined;
    const isForStaff = /^For admins|For admins, auditors and services/.test(description ?? '');
    const changedFor = (role: Role) => {
      const viewer: Viewer = { kind: 'user', userId: current.id, role, credential: { kind: 'bootstrap' } };
      const change = {
        rev: 1n,
        kind: 'updated' as const,
        configId: current.id,
        userId: null,
        config: current,
        enabledBefore: true,
        enabledAfter: true,
        changedColumns: [toSnakeCase(field)],
        occurredAt: new Date(),
      };
      return toConfigEvent(change, viewer, { ...current, enabled: true })?.changedFields;
    };
    expect(changedFor('admin')).toEqual([field]);
    expect(changedFor('member')).toEqual(isForStaff ? [] : [field]);
  });
});

test('every field of the input in the graph is a field of the domain', () => {
  const fields = [...PLAIN_FIELDS, ...SECRET_FIELDS, 'slug'].sort();
  expect(fieldsOf('CreateMcpServerConfigInput').sort()).toEqual(fields);
});
