import type { Keyring } from '../../crypto/keyring.ts';
import type { FindRelation } from './relations.ts';
import { SealingError, sealNewRow, sealRowChange, type WriteData } from './seal-row.ts';
import { findSealedModel, KEY_MODEL } from './sealed-columns.ts';

/** Returns the arguments with every encrypted column sealed. The input is not modified. */
export type SealArguments = (model: string, operation: string, args: WriteData) => WriteData;

/**
 * Creates the function that seals the arguments of Prisma's write operations, including nested writes. Prisma runs no
 * hooks for nested writes, so the arguments are walked. Anything the walk does not recognise is rejected, so no new
 * kind of write can bypass sealing.
 *
 * @throws SealingError (from the returned function) for a write that cannot be sealed
 */
export function createWriteSealer(keyring: Keyring, findRelation: FindRelation): SealArguments {
  function sealCreate(model: string, data: WriteData, ownerId?: string): WriteData {
    const sealed = findSealedModel(model);
    const row = sealed === undefined ? data : sealNewRow(sealed, data, keyring, ownerId);
    return sealRelations(model, row, toText(row['id']));
  }

  function sealUpdate(model: string, data: WriteData, where: unknown, ownerId?: string): WriteData {
    const sealed = findSealedModel(model);
    const pinned = (field: string | undefined) => (field === undefined ? undefined : findPinned(where, field));
    const row =
      sealed === undefined
        ? data
        : sealRowChange(sealed, data, keyring, {
            id: pinned(sealed.id.field),
            ownerId: pinned(sealed.owner?.field) ?? ownerId,
          });
    return sealRelations(model, row, toText(pinned('id')));
  }

  /** @param rowId the id of the row that `data` belongs to, if known */
  function sealRelations(model: string, data: WriteData, rowId: string | undefined): WriteData {
    return Object.fromEntries(
      Object.entries(data).map(([field, value]) => {
        const relation = findRelation(model, field);
        if (relation === undefined || value === undefined) return [field, value];
        const { target, inverse } = relation;
        const owner = findSealedModel(target)?.owner;
        const isOwned = owner !== undefined && owner.relation === inverse;
        if (target === KEY_MODEL || (model === KEY_MODEL && findSealedModel(target) !== undefined)) {
          throw new SealingError(`${model}: ${field} is set by sealing a value, not by hand`);
        }
        const nested = Object.entries(value as WriteData).flatMap(([operation, operand]) => {
          if (operand === undefined) return [];
          if (isOwned && MOVES.has(operation)) {
            throw new SealingError(`${target}: ${owner.field} cannot change: sealed values are bound to it`);
          }
          return [[operation, sealNested(target, operation, operand, isOwned ? rowId : undefined)]];
        });
        return [field, Object.fromEntries(nested)];
      }),
    );
  }

  function sealNested(target: string, operation: string, operand: unknown, ownerId: string | undefined): unknown {
    const isField = (name: string) => findRelation(target, name) !== undefined;
    switch (operation) {
      case 'create':
        return mapEach(operand, (data) => sealCreate(target, data, ownerId));
      case 'createMany':
        return mapEach(operand, (each) => ({
          ...each,
          data: mapEach(each['data'], (data) => sealCreate(target, data, ownerId)),
        }));
      case 'connectOrCreate':
        return mapEach(operand, (each) => ({ ...each, create: sealCreate(target, toData(each['create']), ownerId) }));
      case 'upsert':
        return mapEach(operand, (each) => ({
          ...each,
          create: sealCreate(target, toData(each['create']), ownerId),
          update: sealUpdate(target, toData(each['update']), each['where'], ownerId),
        }));
      case 'update':
      case 'updateMany':
        return mapEach(operand, (each) =>
          // A relation to a single row also accepts the data directly, without `where` and `data`.
          'data' in each && !isField('data')
            ? { ...each, data: sealUpdate(target, toData(each['data']), each['where'], ownerId) }
            : sealUpdate(target, each, undefined, ownerId),
        );
      case 'connect':
      case 'disconnect':
      case 'set':
      case 'delete':
      case 'deleteMany':
        return operand;
      default:
        throw new SealingError(`${target}: cannot seal the nested operation ${operation}`);
    }
  }

  return (model, operation, args) => {
    switch (operation) {
      case 'create':
      case 'createMany':
      case 'createManyAndReturn':
        return { ...args, data: mapEach(args['data'], (data) => sealCreate(model, data)) };
      case 'update':
      case 'updateMany':
      case 'updateManyAndReturn':
        return { ...args, data: sealUpdate(model, toData(args['data']), args['where']) };
      case 'upsert':
        return {
          ...args,
          create: sealCreate(model, toData(args['create'])),
          update: sealUpdate(model, toData(args['update']), args['where']),
        };
      default:
        if (['data', 'create', 'update'].some((name) => name in args)) {
          throw new SealingError(`${model}: cannot seal the operation ${operation}`);
        }
        return args;
    }
  };
}

/** Nested operations that change the owner of a row. */
const MOVES = new Set(['connect', 'connectOrCreate', 'disconnect', 'set']);

/**
 * Returns the one value that a filter allows for a column, if it is that specific: `{ id }`, `{ id: { equals } }`,
 * inside `AND`, or as part of a compound unique key such as `{ configId_userId: { userId } }`.
 */
function findPinned(where: unknown, field: string): unknown {
  if (!isData(where)) return undefined;
  const direct = where[field];
  if (typeof direct === 'string') return direct;
  if (isData(direct) && typeof direct['equals'] === 'string') return direct['equals'];
  const conjuncts = Array.isArray(where['AND']) ? where['AND'] : [where['AND']];
  for (const conjunct of conjuncts) {
    const pinned = findPinned(conjunct, field);
    if (pinned !== undefined) return pinned;
  }
  const compound = Object.entries(where).find(([name]) => name.split('_').includes(field) && name !== field);
  return isData(compound?.[1]) ? toText(compound[1][field]) : undefined;
}

function mapEach(operand: unknown, map: (each: WriteData) => WriteData): unknown {
  return Array.isArray(operand) ? operand.map((each) => map(toData(each))) : map(toData(operand));
}

function toData(value: unknown): WriteData {
  return isData(value) ? value : {};
}

function isData(value: unknown): value is WriteData {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
