import type { ImportedServerResult, ImportReport } from '../../domain/governance/server-transfer.ts';
import type { SecretPlaceholder } from '../../domain/server-files/imported-server.ts';
import { builder } from '../builder.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';

const McpServerImportKindEnum = builder.enumType('McpServerImportKind', {
  description: 'What an import does with a server of the file.',
  values: {
    CREATE: { value: 'create', description: 'It is new.' },
    UPDATE: { value: 'update', description: 'It is there and differs.' },
    UNCHANGED: { value: 'unchanged', description: 'It is there as the file says.' },
    SKIP: { value: 'skip', description: 'It cannot be imported; the notes say why.' },
  } as const,
});

const MissingSecretType = builder.objectRef<SecretPlaceholder>('MissingSecret').implement({
  description: 'A secret that has to be given before a server can be imported. For admins.',
  fields: (t) => ({
    placeholder: t.exposeString('placeholder', { description: 'The name to give it by.' }),
    field: t.exposeString('field', { description: 'The field that it goes into.' }),
    header: t.string({
      nullable: true,
      description: 'The header that it goes into, where it is one.',
      resolve: ({ header }) => header ?? null,
    }),
    description: t.exposeString('description', { description: 'What it is.' }),
  }),
});

const ImportedMcpServerType = builder.objectRef<ImportedServerResult>('ImportedMcpServer').implement({
  description: 'A server of the file and what became of it. For admins.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name in the file.' }),
    slug: t.exposeString('slug', { nullable: true, description: 'Its slug here; null when it is skipped.' }),
    kind: t.expose('kind', { type: McpServerImportKindEnum, description: 'What is done with it.' }),
    applied: t.boolean({ description: 'Whether it was created or changed.', resolve: ({ isApplied }) => isApplied }),
    missingSecrets: t.field({
      type: [MissingSecretType],
      description: 'What has to be given first; until then it is left out.',
      resolve: ({ secretsMissing }) => secretsMissing,
    }),
    notes: t.exposeStringList('notes', { description: 'What a person should know.' }),
    error: t.string({
      nullable: true,
      description: 'Why it could not be created or changed.',
      resolve: ({ error }) => (error === null ? null : `${error.code}: ${error.message}`),
    }),
    config: t.field({
      type: McpServerConfigType,
      nullable: true,
      description: 'The config that was created or changed.',
      resolve: ({ config }) => config,
    }),
  }),
});

/** `ImportMcpServersPayload` */
export const ImportMcpServersPayload = builder.objectRef<ImportReport>('ImportMcpServersPayload').implement({
  description: 'What an import did, or would do. For admins.',
  fields: (t) => ({
    diff: t.exposeString('diff', { description: 'All of it for a terminal, a line for each server and field.' }),
    servers: t.field({
      type: [ImportedMcpServerType],
      description: 'Each server of the file.',
      resolve: ({ servers }) => servers,
    }),
  }),
});
