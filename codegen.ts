import type { CodegenConfig } from '@graphql-codegen/cli';
import { addTypenameSelectionDocumentTransform } from '@graphql-codegen/client-preset';

const TYPES = {
  useTypeImports: true,
  enumsAsTypes: true,
  strictScalars: true,
  scalars: { UUID: 'string', DateTime: 'string', JSON: 'unknown' },
};

/**
 * The console sends the hashes of its documents, and `scripts/build-console.ts` puts the manifests together. Its cache adds
 * `__typename` everywhere, so the documents of the manifests have it, too.
 */
const CONSOLE = {
  preset: 'client' as const,
  presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: 'sha256' as const } },
  documentTransforms: [addTypenameSelectionDocumentTransform],
  config: TYPES,
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
      ...CONSOLE,
    },
    // In files of their own, which only the browsers of those load who open these pages.
    'console/src/pages/admin/generated/': {
      documents: ['console/src/pages/admin/**/*.graphql'],
      ...CONSOLE,
    },
  },
  importExtension: '.ts',
};

export default config;
