import type { CodegenConfig } from '@graphql-codegen/cli';

const TYPES = {
  useTypeImports: true,
  enumsAsTypes: true,
  strictScalars: true,
  scalars: { UUID: 'string', DateTime: 'string', JSON: 'unknown' },
};

const config: CodegenConfig = {
  schema: 'schema.graphql',
  generates: {
    'test/graphql/generated/': {
      documents: ['test/setup/operations.ts'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: TYPES,
    },
    // The pages import the documents by name, so that a page brings no more than its own.
    'console/src/graph/generated/': {
      documents: ['console/src/**/*.graphql'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: TYPES,
    },
  },
  importExtension: '.ts',
};

export default config;
