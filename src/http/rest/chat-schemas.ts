import { z } from 'zod';

const serverIds = z.array(z.guid());

/** The body of `POST /`. */
export const CreateChat = z
  .object({
    title: z.string().nullable().describe('Name for people, at most 200 characters.'),
    mcp_server_ids: serverIds
      .nullable()
      .describe('The servers chosen for it. Absent: those that are on by default. Empty: none.'),
  })
  .partial()
  .describe('A new chat.');

/** The body of `POST /{id}/messages`. */
export const CreateChatMessage = z
  .object({
    content: z.string().describe('What is written, 1 to 65,536 characters.'),
    mcp_server_ids: serverIds
      .nullable()
      .optional()
      .describe('The servers that the chat has from now on. Absent: it keeps those that it has. Empty: none.'),
  })
  .describe('A new message of an own chat.');

/** A server that applies in a chat. */
export const ChatMcpServer = z
  .strictObject({
    id: z.string().describe('Its id.').meta({ format: 'uuid' }),
    slug: z.string().describe('Short unique name.'),
    display_name: z.string().describe('The name that people see.'),
    source: z.enum(['forced', 'selected']).describe('Why it is in the chat.'),
    state: z
      .enum(['ready', 'needs_connect', 'reconnect', 'disabled', 'unavailable'])
      .describe("How it stands for the chat's owner."),
    reason: z.string().describe('Both in words.'),
  })
  .describe('A server that applies in a chat.');

/** A chat. */
export const Chat = z
  .strictObject({
    id: z.string().describe('Its id.').meta({ format: 'uuid' }),
    title: z.string().describe('Name for people; may be empty.'),
    owner_id: z.string().describe('Whose it is.').meta({ format: 'uuid' }),
    mcp_server_ids: z.array(z.string().meta({ format: 'uuid' })).describe('The servers chosen for it.'),
    mcp_servers: z.array(ChatMcpServer).describe('What applies in it now.'),
    created_at: z.string().describe('When it was begun (UTC).').meta({ format: 'date-time' }),
    updated_at: z.string().describe('When it last changed (UTC).').meta({ format: 'date-time' }),
  })
  .describe('A chat, with the servers that apply in it.');

/** The same as a type. */
export type Chat = z.output<typeof Chat>;

/** A message. */
export const ChatMessage = z
  .strictObject({
    id: z.string().describe('Its id.').meta({ format: 'uuid' }),
    chat_id: z.string().describe('Its chat.').meta({ format: 'uuid' }),
    content: z.string().describe('What was written.'),
    created_at: z.string().describe('When (UTC).').meta({ format: 'date-time' }),
  })
  .describe('A message of a chat.');
