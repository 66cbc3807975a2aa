import { type GraphQLSchema, getVariableValues, type OperationDefinitionNode } from 'graphql';

/** Variables as a client sends them. */
export type Variables = Readonly<Record<string, unknown>>;

/** Drops the variables that the operation does not declare. The GraphQL specification ignores them; memory does not. */
export function pickDeclared(
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Variables | null | undefined,
): Variables {
  const declared: Record<string, unknown> = {};
  if (variables == null) return declared;
  for (const { variable } of variableDefinitions) {
    const name = variable.name.value;
    if (Object.hasOwn(variables, name)) declared[name] = variables[name];
  }
  return declared;
}

/** The declared variables as resolvers get them, defaults included; undefined if one is not valid. */
export function coerceVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Variables,
): Variables | undefined {
  if (variableDefinitions.length === 0) return {};
  return getVariableValues(schema, variableDefinitions, variables, { maxErrors: 1 }).coerced;
}
