import { defaultFieldResolver, type GraphQLField, type GraphQLSchema, getNullableType, isObjectType } from 'graphql';
import type { GraphQLContext } from '../context.ts';

const IS_FORMER_RESULT = 'isFormerResult';

type Field = GraphQLField<unknown, GraphQLContext>;

/**
 * Options for a payload's field with the entity that the mutation returned before it had a payload. Older clients select
 * the entity's fields on the payload itself: `addFormerFields` puts them there.
 */
export const formerResult = { extensions: { [IS_FORMER_RESULT]: true } } as const;

/**
 * Puts the fields of each former result on its payload, deprecated. They are the entity's own fields and resolve on the
 * entity, so who may see one is decided in one place.
 */
export function addFormerFields(schema: GraphQLSchema): GraphQLSchema {
  for (const { payload, name } of listFormerResults(schema)) {
    const fields = getFields(schema, payload);
    const entity = getNullableType(fields[name]?.type);
    if (!isObjectType(entity)) throw new Error(`${payload}.${name} is not an object`);
    for (const field of Object.values(entity.getFields()) as Field[]) {
      if (fields[field.name] !== undefined) throw new Error(`${payload}.${field.name} would hide ${field.name}`);
      fields[field.name] = toFormerField(field, name);
    }
  }
  return schema;
}

/** Every payload's field with a former result. */
export function listFormerResults(schema: GraphQLSchema): { payload: string; name: string }[] {
  return Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter(({ extensions }) => (extensions as Record<string, unknown>)[IS_FORMER_RESULT] === true)
        .map(({ name }) => ({ payload: type.name, name })),
    );
}

function toFormerField(field: Field, name: string): Field {
  const { resolve = defaultFieldResolver } = field;
  return {
    ...field,
    deprecationReason: `Use \`${name} { ${field.name} }\`.`,
    resolve: (payload, args, context, info) => resolve((payload as Record<string, unknown>)[name], args, context, info),
  };
}

function getFields(schema: GraphQLSchema, type: string): Record<string, Field> {
  const found = schema.getType(type);
  if (!isObjectType(found)) throw new Error(`${type} is not an object type`);
  return found.getFields();
}
