import { z } from 'zod';
import { toJsonContent, toSchemaPointer } from './openapi-content.ts';
import { toErrorReferences } from './openapi-errors.ts';
import { type Documented, hasId, type RestGroup, type RestOperation } from './operation.ts';

/** The names of the schemas in the document. */
export type SchemaNames = z.core.$ZodRegistry<{ id: string }>;

/** The `paths` of an OpenAPI document: by path, then by method. */
export type OpenApiPaths = Record<string, Record<string, object>>;

/** Registers the names of all schemas. @param schemas by name */
export function nameSchemas(schemas: readonly RestGroup['schemas'][]): SchemaNames {
  const names: SchemaNames = z.registry<{ id: string }>();
  for (const [id, schema] of schemas.flatMap(Object.entries<z.ZodType>)) names.add(schema, { id });
  return names;
}

/** Creates the `schemas` of the document's components. */
export function toSchemaComponents(names: SchemaNames): Record<string, object> {
  const { schemas } = z.toJSONSchema(names, { io: 'input', uri: toSchemaPointer });
  // Components are referenced by their pointer. An "$id" with a fragment is not allowed.
  return Object.fromEntries(Object.entries(schemas).map(([id, { $id, $schema, ...schema }]) => [id, schema]));
}

/** Creates the `paths` of all groups. @throws Error if an operation uses a schema that its group does not list */
export function toPaths(groups: readonly RestGroup[], names: SchemaNames): OpenApiPaths {
  const paths: OpenApiPaths = {};
  for (const group of groups) {
    for (const [operationId, operation] of Object.entries(group.operations)) {
      const path = `${group.prefix}${operation.path}`;
      const item = paths[path] ?? (hasId(operation) ? { parameters: [ID_PARAMETER] } : {});
      item[operation.method] = { operationId, tags: [group.name], ...toOperationObject(operation, names) };
      paths[path] = item;
    }
  }
  return paths;
}

const ID_PARAMETER = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The id, as returned when it was created or listed.',
  schema: { type: 'string', format: 'uuid' },
};

function toOperationObject(operation: RestOperation, names: SchemaNames): object {
  const { summary, description, body, page, success, representation } = operation;
  return {
    summary,
    description,
    ...(page !== undefined && { parameters: toQueryParameters(page.query) }),
    ...(representation !== undefined && { parameters: [PREFER] }),
    ...(body !== undefined && { requestBody: { required: true, content: toContent(names, body) } }),
    responses: {
      [success.status]: {
        description: success.description,
        ...(success.content !== undefined && { content: toContent(names, success.content) }),
        ...(success.status === 307 && { headers: { Location: LOCATION } }),
        ...(page !== undefined &&
          success.status === 200 && { content: { [page.type ?? 'text/html']: { schema: { type: 'string' } } } }),
      },
      ...(representation !== undefined && {
        200: {
          description: representation.description,
          content: toContent(names, representation),
          headers: { 'Preference-Applied': PREFERENCE_APPLIED },
        },
      }),
      ...toErrorReferences(operation),
    },
  };
}

const LOCATION = { description: 'The URL that the browser is sent to.', schema: { type: 'string', format: 'uri' } };

const PREFER = {
  name: 'Prefer',
  in: 'header',
  required: false,
  description: 'Send `return=representation` for a response with a body (RFC 7240).',
  schema: { type: 'string' },
};

const PREFERENCE_APPLIED = { description: 'What the gateway did of `Prefer`.', schema: { type: 'string' } };

function toQueryParameters(query: Readonly<Record<string, string>>): object[] {
  return Object.entries(query).map(([name, description]) => ({
    name,
    in: 'query',
    required: false,
    description,
    schema: { type: 'string' },
  }));
}

function toContent(names: SchemaNames, { schema, examples }: Documented): object {
  const id = names.get(schema)?.id;
  if (id === undefined) throw new Error('An operation uses a schema that its group does not list.');
  return toJsonContent(id, examples);
}
