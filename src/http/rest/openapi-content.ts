import type { Examples } from './operation.ts';

/** Where a named schema is in the document. */
export function toSchemaPointer(name: string): string {
  return `#/components/schemas/${name}`;
}

/** The `content` of a body or answer: JSON of the named schema. */
export function toJsonContent(schemaName: string, examples: Examples): object {
  return {
    'application/json': {
      schema: { $ref: toSchemaPointer(schemaName) },
      examples: Object.fromEntries(Object.entries(examples).map(([summary, value]) => [summary, { value }])),
    },
  };
}
