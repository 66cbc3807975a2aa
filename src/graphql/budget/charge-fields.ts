import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getNullableType,
  isLeafType,
  isListType,
  isObjectType,
  TypeNameMetaFieldDef,
} from 'graphql';
import type { GraphQLContext } from '../context.ts';
import type { OperationBudget } from './operation-budget.ts';

/** How a resolved value is charged, and what takes its place. */
type Charge = (budget: OperationBudget, name: string, value: unknown) => unknown;

/** Fields of introspection are graphql-js's own objects, the same for all schemas. */
const charged = new WeakSet<GraphQLField<unknown, GraphQLContext>>();

/**
 * Makes every field of a schema charge the operation's budget with what it returns: introspection and `__typename`
 * included, because a client chooses their names and how often they are asked for. Synchronous values stay so: a promise
 * for each of thousands of fields would cost more than everything else.
 */
export function chargeFields(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isObjectType(type)) for (const field of Object.values(type.getFields())) chargeField(field);
  }
  chargeField(TypeNameMetaFieldDef);
  return schema;
}

/** Whether a field charges what it returns. */
export function isCharged(field: GraphQLField<unknown, GraphQLContext>): boolean {
  return charged.has(field);
}

function chargeField(field: GraphQLField<unknown, GraphQLContext>): void {
  if (charged.has(field)) return;
  charged.add(field);
  const resolve: GraphQLFieldResolver<unknown, GraphQLContext> = field.resolve ?? defaultFieldResolver;
  const charge = chooseCharge(field);
  field.resolve = (source, args, context, info) => {
    const value = resolve(source, args, context, info);
    // There is none where a schema is executed without the gateway, as for printing it.
    const { budget } = context as Partial<GraphQLContext>;
    if (budget === undefined) return value;
    const name = String(info.path.key);
    return value instanceof Promise ? value.then((found) => charge(budget, name, found)) : charge(budget, name, value);
  };
}

function chooseCharge(field: GraphQLField<unknown, GraphQLContext>): Charge {
  const type = getNullableType(field.type);
  if (!isListType(type)) return chargeSingle;
  return isLeafType(getNullableType(type.ofType)) ? chargeValues : chargeObjects;
}

const chargeSingle: Charge = (budget, name, value) => {
  budget.chargeValue(name, value);
  return value;
};

const chargeValues: Charge = (budget, name, value) =>
  isIterable(value) ? budget.chargeValues(name, toArray(value)) : chargeSingle(budget, name, value);

const chargeObjects: Charge = (budget, name, value) =>
  isIterable(value) ? budget.chargeObjects(name, toArray(value)) : chargeSingle(budget, name, value);

/** Null is not, nor is an error, which a resolver may return instead of throwing it. */
function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function toArray(value: Iterable<unknown>): readonly unknown[] {
  return Array.isArray(value) ? value : [...value];
}
