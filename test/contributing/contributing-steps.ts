import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Edit, ScratchCopy } from '../setup/scratch-copy.ts';

/** One step of a list in CONTRIBUTING.md. A step without edits is about judgement. */
export interface Step {
  edits?: (copy: ScratchCopy) => readonly Edit[] | Promise<readonly Edit[]>;
  /** The command that the step names, run after its edits. */
  command?: readonly string[];
}

const MIGRATION = 'add_contact';

/** The name of the migration that `npm run db:diff` wrote. */
export async function findMigration(copy: ScratchCopy): Promise<string | undefined> {
  const names = await readdir(path.join(copy.folder, 'prisma/migrations'));
  return names.find((name) => name.endsWith(`_${MIGRATION}`));
}

const CONFIGS = 'src/domain/configs';

/** Adds the text field `contact` to MCP server configs, for all roles. */
const addField: readonly Step[] = [
  {
    // The walk of migrations adds the column.
    edits: () => [
      ['src/data/records.ts', /^ {2}iconUrl: string;/, '  contact: string;'],
      ['src/data/repositories/config-repository.ts', /^ {2}iconUrl: string;/, '  contact: string;'],
    ],
  },
  {
    edits: () => [
      [`${CONFIGS}/config-input.ts`, /^ {2}iconUrl\?/, '  contact?: string | null | undefined;'],
      [`${CONFIGS}/config-draft.ts`, /^ {2}iconUrl: '',/, "  contact: '',"],
      [`${CONFIGS}/config-draft.ts`, /^ {2}'iconUrl',/, "  'contact',"],
      [`${CONFIGS}/config-changes.ts`, /^ {2}'iconUrl',/, "  'contact',"],
      [
        `${CONFIGS}/config-rules.ts`,
        /^ {2}checkText\(issues, \['description'\]/,
        "  checkName(issues, ['contact'], draft.contact, MAX_DISPLAY_NAME);",
      ],
      ['src/domain/server-files/server-fields.ts', /^ {2}description: TEXT,/, '  contact: TEXT,'],
    ],
  },
  {
    edits: () => [
      [
        'src/graphql/mcp-server-config/type.ts',
        /^ {4}displayName: t\.exposeString/,
        "    contact: t.exposeString('contact', { description: 'Whom to ask about the server; may be empty.' }),",
      ],
      [
        'src/graphql/mcp-server-config/inputs.ts',
        /^ {4}iconUrl: t\.string/,
        "    contact: t.string({ required: false, description: 'Whom to ask about the server.' }),",
      ],
    ],
    command: ['npm', 'run', 'generate'],
  },
  {
    edits: () => [
      [
        'src/http/rest/server-schemas.ts',
        /^ {4}icon_url: clearable/,
        "    contact: clearableText.describe('A person.'),",
      ],
      ['src/http/rest/server-schemas.ts', /^ {4}icon_url: z\.string/, "    contact: z.string().describe('A person.'),"],
      ['src/http/rest/server-operations.ts', /^ {2}icon_url: /, "  contact: 'Ada',"],
      ['src/http/rest/server-mapping.ts', /^ {4}iconUrl: body/, '    contact: body.contact,'],
      ['src/http/rest/server-mapping.ts', /^ {4}icon_url: config/, '    contact: config.contact,'],
    ],
  },
  {
    edits: () => [
      ['test/graphql/visible-to.ts', /^ {2}'McpServerConfig\.iconUrl'/, "  'McpServerConfig.contact': ALL,"],
      ['src/domain/feed/config-event.ts', /^ {2}'iconUrl',/, "  'contact',"],
      ['test/http/rest-redaction.test.ts', /^ {2}icon_url: /, "  contact: 'as staff',"],
      ['test/server-files/config-record.ts', /^ {4}iconUrl: '',/, "    contact: '',"],
      ['test/data/repository-calls.ts', /^ {2}toolDenyList: \[\],/, "  contact: '',"],
    ],
  },
];

/** Adds `renameChat(id: UUID!, title: String!): Chat!`. */
const addMutation: readonly Step[] = [
  {
    edits: () => [
      ['src/policy/policy.ts', /^ {2}'chat\.write'/, "  'chat.rename': { admin: 'own', member: 'own' },"],
      ['test/policy/policy.test.ts', /^ {2}'chat\.write'/, "  'chat.rename': ['own', '-', '-', 'own', '-'],"],
    ],
  },
  {
    edits: () => [
      ['src/data/records.ts', /^ {2}'chat\.create',/, "  'chat.rename',"],
      ['src/graphql/audit-log/type.ts', /^ {2}'chat\.create':/, "  'chat.rename': 'A chat was renamed.',"],
    ],
  },
  {
    edits: () => [
      [
        'src/data/repositories/chat-repository.ts',
        /^ {4}findById: guarded\('chat\.read'/,
        `
    /** Changes the title. Lock the chat first. */
    rename: guarded(
      'chat.rename',
      (args: { id: string; ownerId: string; title: string }): Promise<ChatRecord> =>
        db.chat.update({ where: { id: args.id }, data: { title: args.title } }),
      (args) => ({ ownerId: args.ownerId }),
    ),`,
      ],
      ['test/data/repositories.test.ts', /^ {2}'chats\.create':/, "  'chats.rename': 'chat.rename',"],
      [
        'test/data/repository-calls.ts',
        /^ {2}create: \[\{ ownerId: OWNER_ID/,
        "  rename: [{ id: chatId, ownerId: OWNER_ID, title: 'x' }],",
      ],
      [
        'src/domain/chats/chat-service.ts',
        /^ {2}return \{$/,
        `    /** Changes the title of one of the viewer's chats. @throws FORBIDDEN, NOT_FOUND, VALIDATION_FAILED */
    async rename(viewer: Viewer, input: { id: string; title: string }): Promise<ChatRecord> {
      assertCan(viewer, 'chat.rename');
      assertExperiment(experiments, 'agents');
      return store.transaction(async (tx) => {
        const chat = await tx.chats.lockOwn(viewer, { id: input.id });
        if (chat === null) throw notFound('chat');
        const issues = new Issues();
        const title = toTitle(issues, input.title);
        issues.throwIfAny();
        const renamed = await tx.chats.rename(viewer, { id: chat.id, ownerId: chat.ownerId, title });
        await tx.audit.append(SYSTEM, { actor: viewer, action: 'chat.rename', target: toTarget(chat), changes: [] });
        return renamed;
      });
    },
`,
      ],
    ],
  },
  {
    edits: () => [
      [
        'src/graphql/chat/mutations.ts',
        /^builder\.mutationFields/,
        `  renameChat: t.field({
    type: ChatType,
    description: "Changes the title of one of the viewer's chats.",
    args: {
      id: t.arg({ type: 'UUID', required: true, description: 'Id of the chat.' }),
      title: t.arg.string({ required: true, description: 'The new title.' }),
    },
    resolve: (_root, input, { viewer, services }) => services.chats.rename(viewer, input),
  }),
`,
      ],
      ['src/graphql/permissions.ts', /^ {4}createChat:/, "    renameChat: 'chat.rename',"],
    ],
    command: ['npm', 'run', 'generate'],
  },
  {
    edits: () => [
      [
        'test/graphql/root-fields.ts',
        /^ {2}'Mutation\.createChat':/,
        `  'Mutation.renameChat': ({ chatIds }, caller) => \`(id: "\${chatIds[caller] ?? MISSING_ID}", title: "Other")\`,`,
      ],
      [
        'test/graphql/root-permissions.test.ts',
        /^ {2}'Mutation\.createChat':/,
        "  'Mutation.renameChat': [OK, NO, NO, OK],",
      ],
      [
        'test/graphql/audit-coverage.test.ts',
        /^const MUTATIONS/,
        '  renameChat: { action: \'chat.rename\', target: \'chat\', failing: `(id: "${MISSING}", title: "x") { id }` },',
      ],
    ],
  },
];

const addMigration: readonly Step[] = [
  { edits: () => [['prisma/schema.prisma', /^ {2}iconUrl /, '  contact String @default("")']] },
  { command: ['npm', 'run', 'db:diff', '--', MIGRATION] },
  {},
  {
    edits: async (copy) => {
      const name = (await findMigration(copy)) ?? 'none';
      const rows = `  async '${name}'(database) {
    await database.query("UPDATE mcp_server_configs SET contact = 'Ada'");
  },`;
      return [['test/data/migration-rows.ts', /^export const ROWS/, rows]];
    },
  },
  {},
];

/** Adds the code `GONE`. */
const addErrorCode: readonly Step[] = [
  {
    edits: () => [
      ['src/errors.ts', /^ {2}'CONFLICT',/, "  'GONE',"],
      [
        'src/errors.ts',
        /^export type ErrorCode/,
        `
/** The resource existed, and is gone for good. */
export function gone(what: string): DomainError {
  return new DomainError('GONE', \`This \${what} is gone.\`);
}`,
      ],
    ],
  },
  { edits: () => [['src/http/problem.ts', /^ {2}CONFLICT: 409,/, '  GONE: 410,']] },
  { edits: () => [['docs/errors.md', /^\| `CONFLICT` \|/, '| `GONE` | 410 | it is gone | forget it |']] },
  {
    edits: () => [
      ['src/domain/chats/chat-input.ts', /^export function toTitle/, "  if (title === 'gone') throw gone('title');"],
      ['src/domain/chats/chat-input.ts', /^import .* '..\/..\/errors\.ts';/, "import { gone } from '../../errors.ts';"],
    ],
  },
  {},
];

/** The lists of CONTRIBUTING.md by their headings. */
export const WALKS = {
  'Add a field': addField,
  'Add a mutation': addMutation,
  'Add a migration': addMigration,
  'Add an error code': addErrorCode,
} as const satisfies Record<string, readonly Step[]>;
