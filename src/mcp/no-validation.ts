import type { JsonSchemaValidator, jsonSchemaValidator, StandardSchemaV1 } from '@modelcontextprotocol/client';

/** Validates nothing: the definitions and contents of others pass through untouched. */
export const ANYTHING: StandardSchemaV1<unknown, unknown> = {
  '~standard': { version: 1, vendor: 'gatehouse', validate: (value) => ({ value }) },
};
/** Compiles no schema. */
export const NO_VALIDATION: jsonSchemaValidator = {
  getValidator:
    <Value>(): JsonSchemaValidator<Value> =>
    (input) => ({ valid: true, data: input as Value, errorMessage: undefined }),
};
