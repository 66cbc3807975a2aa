/** A relation field of a Prisma model. */
export interface Relation {
  /** The model on the other side. */
  target: string;
  /** The other side's field for the same relation. */
  inverse: string | undefined;
}

/** Finds the relation behind a field; undefined for a column. */
export type FindRelation = (model: string, field: string) => Relation | undefined;

interface DataModel {
  models: Record<string, { fields: { name: string; kind: string; type: string; relationName?: string }[] }>;
}

/**
 * Reads the relations out of a Prisma client. The client has them for its own use only, so their absence stops the
 * start: without them a nested write could not be told from a column.
 */
export function readRelations(client: object): FindRelation {
  const dataModel = (client as { _runtimeDataModel?: DataModel })._runtimeDataModel;
  if (dataModel === undefined) throw new Error('this version of Prisma Client does not tell its data model');
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
