import { Secret } from '../../crypto/secret.ts';
import { builder } from '../builder.ts';
import { ImportMcpServersPayload } from './type.ts';

const ImportSecretInput = builder.inputType('ImportSecretInput', {
  description: "What one of the file's placeholders stands for.",
  fields: (t) => ({
    slug: t.string({ required: true, description: 'The slug of the server.' }),
    placeholder: t.string({ required: true, description: 'The name of the placeholder, as a dry run tells it.' }),
    value: t.string({ required: true, description: 'The secret. Written, never read back.' }),
  }),
});

const ImportMcpServersInput = builder.inputType('ImportMcpServersInput', {
  description: 'A file with definitions of MCP servers.',
  fields: (t) => ({
    content: t.string({
      required: true,
      description:
        "The file: `mcpServers` of most clients, VS Code's `servers`, the MCP registry's server.json, or an export.",
    }),
    dryRun: t.boolean({ required: false, defaultValue: true, description: 'Only tell what would be done.' }),
    secrets: t.field({
      type: [ImportSecretInput],
      required: false,
      description: 'The secrets that the file leaves open.',
    }),
  }),
});

builder.mutationFields((t) => ({
  importMcpServers: t.field({
    type: ImportMcpServersPayload,
    description: 'Defines and changes MCP servers as a file says. For admins.',
    args: { input: t.arg({ type: ImportMcpServersInput, required: true, description: 'The file.' }) },
    resolve: (_root, { input }, { viewer, services }) =>
      services.transfer.import(viewer, {
        content: input.content,
        dryRun: input.dryRun ?? true,
        secrets: (input.secrets ?? []).map(({ value, ...rest }) => ({ ...rest, value: new Secret(value) })),
      }),
  }),
}));
