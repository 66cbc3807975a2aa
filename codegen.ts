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
      documents: ['console/src/**/*.graphql', '!console/src/pages/admin/**'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: TYPES,
    },
    // In files of their own, which only the browsers of those load who open these pages.
    'console/src/pages/admin/generated/': {
      documents: ['console/src/pages/admin/**/*.graphql'],
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: TYPES,
    },
  },
  importExtension: '.ts',
};

export default config;
