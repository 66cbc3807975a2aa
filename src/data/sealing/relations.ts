/** A relation field of a Prisma model. */
export interface Relation {
  /** The model at the other end. */
  target: string;
  /** The field for the same relation at the other end. */
  inverse: string | undefined;
}

/** Finds the relation of a field. Undefined for a column. */
export type FindRelation = (model: string, field: string) => Relation | undefined;

interface DataModel {
  models: Record<string, { fields: { name: string; kind: string; type: string; relationName?: string }[] }>;
}

/**
 * Reads the relations from a Prisma client. They are internal to the client, so a client without them stops the start:
 * nested writes could not be told apart from columns.
 */
export function readRelations(client: object): FindRelation {
  const dataModel = (client as { _runtimeDataModel?: DataModel })._runtimeDataModel;
  if (dataModel === undefined) throw new Error('this version of Prisma Client does not expose its data model');
  const relations = new Map<string, Relation>();
  for (const [model, { fields }] of Object.entries(dataModel.models)) {
    for (const { name, kind, type, relationName } of fields) {
      if (kind !== 'object') continue;
      const inverse = dataModel.models[type]?.fields.find(
        (other) => other.relationName === relationName && !(type === model && other.name === name),
      );
      relations.set(`${model}.${name}`, { target: type, inverse: inverse?.name });
    }
  }
  return (model, field) => relations.get(`${model}.${field}`);
}
