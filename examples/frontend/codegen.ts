import type { CodegenConfig } from '@graphql-codegen/cli';

// The types of all operations, from the schema that the client package brings.
const config: CodegenConfig = {
  schema: 'node_modules/mcp-gatehouse-client/dist/schema.graphql',
  documents: ['src/**/*.tsx'],
  generates: {
    'src/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        strictScalars: true,
        scalars: { UUID: 'string', DateTime: 'string', JSON: 'unknown' },
      },
    },
  },
};

export default config;
