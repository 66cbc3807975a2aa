import type { ImportedServerResult, ImportReport } from '../../domain/governance/server-transfer.ts';
import type { SecretPlaceholder } from '../../domain/server-files/imported-server.ts';
import { builder } from '../builder.ts';
import { McpServerConfigType } from '../mcp-server-config/type.ts';

const McpServerImportKindEnum = builder.enumType('McpServerImportKind', {
  description: 'What an import does with a server in the file.',
  values: {
    CREATE: { value: 'create', description: 'The server is new and is created.' },
    UPDATE: { value: 'update', description: 'The server exists with other settings and is updated.' },
    UNCHANGED: { value: 'unchanged', description: 'The server already exists exactly as in the file.' },
    QUESTION: {
      value: 'question',
      description:
        'The slug belongs to a server with another name and another origin. Nothing happens until `answers` says what to do.',
    },
    SKIP: { value: 'skip', description: 'The server cannot be imported. The notes say why.' },
  } as const,
});

const MissingSecretType = builder.objectRef<SecretPlaceholder>('MissingSecret').implement({
  description: 'A secret that must be provided before a server can be imported. For admins.',
  fields: (t) => ({
    placeholder: t.exposeString('placeholder', { description: 'Name of the placeholder to provide it for.' }),
    field: t.exposeString('field', { description: 'The config field that the secret is for.' }),
    header: t.string({
      nullable: true,
      description: 'The header that the secret is for; null if it is not a header.',
      resolve: ({ header }) => header ?? null,
    }),
    description: t.exposeString('description', { description: 'What the secret is.' }),
  }),
});

const ImportedMcpServerType = builder.objectRef<ImportedServerResult>('ImportedMcpServer').implement({
  description: 'A server in the imported file and what happened to it. For admins.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Name of the server in the file.' }),
    slug: t.exposeString('slug', {
      nullable: true,
      description: 'Slug of the server in the gateway; null if it is skipped.',
    }),
    kind: t.expose('kind', { type: McpServerImportKindEnum, description: 'What the import does with the server.' }),
    applied: t.boolean({
      description: 'Whether the server was created or updated. Always false in a dry run.',
      resolve: ({ isApplied }) => isApplied,
    }),
    missingSecrets: t.field({
      type: [MissingSecretType],
      description: 'Secrets that must be provided first. Until then the server is left out.',
      resolve: ({ secretsMissing }) => secretsMissing,
    }),
    notes: t.exposeStringList('notes', { description: 'Remarks for the person who imports.' }),
    error: t.string({
      nullable: true,
      description:
        'Why the server could not be created or updated, or in a dry run, why it will not be; null if there is no error.',
      resolve: ({ error }) => (error === null ? null : `${error.code}: ${error.message}`),
    }),
    config: t.field({
      type: McpServerConfigType,
      nullable: true,
      description: 'The created or updated config; null if there is none.',
      resolve: ({ config }) => config,
    }),
  }),
});

/** `ImportMcpServersPayload` */
export const ImportMcpServersPayload = builder.objectRef<ImportReport>('ImportMcpServersPayload').implement({
  description: 'What an import did, or would do in a dry run. For admins.',
  fields: (t) => ({
    diff: t.exposeString('diff', {
      description: 'The whole report as text for a terminal, one line per server and field.',
    }),
    notes: t.exposeStringList('notes', {
      description: 'Remarks on the file as a whole, and on secrets and answers that it has no use for.',
    }),
    servers: t.field({
      type: [ImportedMcpServerType],
      description: 'The servers in the file.',
      resolve: ({ servers }) => servers,
    }),
  }),
});
