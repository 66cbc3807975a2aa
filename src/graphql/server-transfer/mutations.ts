import { Secret } from '../../crypto/secret.ts';
import { builder } from '../builder.ts';
import { ImportMcpServersPayload } from './type.ts';

const ImportSecretInput = builder.inputType('ImportSecretInput', {
  description: 'The secret to use for one placeholder in the file.',
  fields: (t) => ({
    slug: t.string({ required: true, description: 'Slug of the server that the placeholder belongs to.' }),
    placeholder: t.string({ required: true, description: 'Name of the placeholder, as listed by a dry run.' }),
    value: t.string({ required: true, description: 'The secret. Stored encrypted and never returned.' }),
  }),
});

const ImportMcpServersInput = builder.inputType('ImportMcpServersInput', {
  description: 'A file with MCP server definitions.',
  fields: (t) => ({
    content: t.string({
      required: true,
      description:
        "The file's text: `mcpServers` as most clients write it, VS Code's `servers`, the MCP registry's server.json, or an export.",
    }),
    dryRun: t.boolean({ required: false, defaultValue: true, description: 'Only report what would be done.' }),
    secrets: t.field({
      type: [ImportSecretInput],
      required: false,
      description: 'Secrets for the placeholders in the file.',
    }),
  }),
});

builder.mutationFields((t) => ({
  importMcpServers: t.field({
    type: ImportMcpServersPayload,
    description: 'Creates and updates MCP servers from a file. For admins.',
    args: { input: t.arg({ type: ImportMcpServersInput, required: true, description: 'The file to import.' }) },
    resolve: (_root, { input }, { viewer, services }) =>
      services.transfer.import(viewer, {
        content: input.content,
        dryRun: input.dryRun ?? true,
        secrets: (input.secrets ?? []).map(({ value, ...rest }) => ({ ...rest, value: new Secret(value) })),
      }),
  }),
}));
