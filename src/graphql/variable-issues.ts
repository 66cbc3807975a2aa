import {
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { suggestName } from '../domain/validation/nearest-name.ts';
import type { ValidationIssue } from '../errors.ts';
import { REQUEST_LIMITS } from '../limits/request-limits.ts';

/** A body can hold tens of thousands of wrong values; at most this many are reported. */
const MAX_ISSUES = REQUEST_LIMITS.issues.value;

/**
 * Finds everything in an operation's variables that has the wrong type. Paths begin with the variable's name. The
 * messages never repeat a value, unlike those of graphql-js: a value may be a secret, and it can be made to look like
 * the text around it, so no pattern could remove it reliably.
 */
export function findVariableIssues(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): ValidationIssue[] {
  const issues: ValidationIssue[] = [];
  for (const { variable, type: typeNode, defaultValue } of operation.variableDefinitions ?? []) {
    const type = typeFromAST(schema, typeNode);
    const name = variable.name.value;
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (type === undefined || !isInputType(type) || (value === undefined && defaultValue !== undefined)) continue;
    checkValue(issues, [name], type, value);
  }
  return issues.slice(0, MAX_ISSUES);
}

function checkValue(issues: ValidationIssue[], path: ValidationIssue['path'], type: GraphQLInputType, value: unknown) {
  if (issues.length >= MAX_ISSUES) return;
  const add = (code: string, message: string) => issues.push({ path, code, message });
  if (isNonNullType(type)) {
    if (value === undefined) add('REQUIRED', 'Is required but missing.');
    else if (value === null) add('REQUIRED', 'Must not be null.');
    else checkValue(issues, path, type.ofType, value);
  } else if (value == null) {
    return;
  } else if (isListType(type)) {
    // A single value stands for a list of one (GraphQL, section 3.11).
    if (!Array.isArray(value)) checkValue(issues, path, type.ofType, value);
    else for (const [index, item] of value.entries()) checkValue(issues, [...path, index], type.ofType, item);
  } else if (isInputObjectType(type)) {
    if (typeof value !== 'object' || Array.isArray(value)) {
      add('INVALID_TYPE', 'Must be an object.');
      return;
    }
    const fields = type.getFields();
    const given = value as Record<string, unknown>;
    const names = Object.keys(fields);
    if (type.isOneOf && names.filter((name) => given[name] != null).length !== 1) {
      add('REQUIRED', `Give exactly one of ${names.join(', ')}.`);
    }
    for (const field of Object.values(fields)) {
      const isGiven = Object.hasOwn(given, field.name) && given[field.name] !== undefined;
      if (isGiven || isRequiredInputField(field)) {
        checkValue(issues, [...path, field.name], field.type, isGiven ? given[field.name] : undefined);
      }
    }
    for (const name of Object.keys(given).filter((each) => !Object.hasOwn(fields, each))) {
      const message = `Is not a field of ${type.name}.${suggestName(name, Object.keys(fields))}`;
      issues.push({ path: [...path, name], code: 'UNKNOWN_FIELD', message });
      if (issues.length >= MAX_ISSUES) return;
    }
  } else if (!canParse(type, value)) {
    const choices = isEnumType(type) ? type.getValues().map((each) => each.name) : undefined;
    add(
      'INVALID_TYPE',
      choices === undefined ? `Must be of type ${type.name}.` : `Must be one of ${choices.join(', ')}.`,
    );
  }
}

function canParse(type: { parseValue: (value: unknown) => unknown }, value: unknown): boolean {
  try {
    return type.parseValue(value) !== undefined;
  } catch {
    return false;
  }
}
