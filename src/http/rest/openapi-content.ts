import type { Examples } from './operation.ts';

/** The JSON pointer of a named schema in the document. */
export function toSchemaPointer(name: string): string {
  return `#/components/schemas/${name}`;
}

/** The `content` of a request or response body: JSON of the named schema. */
export function toJsonContent(schemaName: string, examples: Examples): object {
  return {
    'application/json': {
      schema: { $ref: toSchemaPointer(schemaName) },
      examples: Object.fromEntries(Object.entries(examples).map(([summary, value]) => [summary, { value }])),
    },
  };
}
