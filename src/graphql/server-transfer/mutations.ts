import { Secret } from '../../crypto/secret.ts';
import { builder } from '../builder.ts';
import { addFeedCursor } from '../mutation-shape/feed-cursor.ts';
import { ImportMcpServersPayload } from './type.ts';

const ImportSecretInput = builder.inputType('ImportSecretInput', {
  description: 'The secret to use for one placeholder in the file.',
  fields: (t) => ({
    slug: t.string({ required: true, description: 'Slug of the server that the placeholder belongs to.' }),
    placeholder: t.string({ required: true, description: 'Name of the placeholder, as listed by a dry run.' }),
    value: t.string({ required: true, description: 'The secret. Stored encrypted and never returned.' }),
  }),
});

const ImportAnswerEnum = builder.enumType('ImportAnswer', {
  description: 'What to do with a server whose slug belongs to another one.',
  values: {
    UPDATE: { value: 'update', description: 'It is the same server: change it.' },
    CREATE: { value: 'create', description: 'It is another server: create it with a free slug, such as `github-2`.' },
  } as const,
});

const ImportAnswerInput = builder.inputType('ImportAnswerInput', {
  description: 'The answer to a QUESTION of a dry run.',
  fields: (t) => ({
    slug: t.string({ required: true, description: 'Slug of the server, as the dry run lists it.' }),
    answer: t.field({ type: ImportAnswerEnum, required: true, description: 'What to do with it.' }),
  }),
});

const ImportMcpServersInput = builder.inputType('ImportMcpServersInput', {
  description: 'A file with MCP server definitions.',
  fields: (t) => ({
    content: t.string({
      required: true,
      description:
        "The file's text: an export, the file of an MCP client (mcp.json in all its shapes, Codex' TOML, YAML of LibreChat and LiteLLM), or the MCP registry's server.json.",
    }),
    dryRun: t.boolean({ required: false, defaultValue: true, description: 'Only report what would be done.' }),
    secrets: t.field({
      type: [ImportSecretInput],
      required: false,
      description: 'Secrets for the placeholders in the file.',
    }),
    answers: t.field({
      type: [ImportAnswerInput],
      required: false,
      description: 'Answers for servers whose slug belongs to another one.',
    }),
  }),
});

addFeedCursor(ImportMcpServersPayload);

builder.mutationFields((t) => ({
  importMcpServers: t.field({
    type: ImportMcpServersPayload,
    description: 'Creates and updates MCP servers from a file. For admins.',
    args: { input: t.arg({ type: ImportMcpServersInput, required: true, description: 'The file to import.' }) },
    resolve: (_root, { input }, { viewer, services }) =>
      services.transfer.import(viewer, {
        content: input.content,
        dryRun: input.dryRun ?? true,
        answers: new Map((input.answers ?? []).map(({ slug, answer }) => [slug, answer])),
        secrets: (input.secrets ?? []).map(({ value, ...rest }) => ({ ...rest, value: new Secret(value) })),
      }),
  }),
}));
