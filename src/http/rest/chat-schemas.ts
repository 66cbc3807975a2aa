import { z } from 'zod';

const serverIds = z.array(z.guid());

/** The body of `POST /`. */
export const CreateChat = z
  .strictObject({
    title: z.string().nullable().describe('Display name, at most 200 characters.'),
    mcp_server_ids: serverIds
      .nullable()
      .describe('The selected servers. Absent: the servers that are on by default. Empty: none.'),
  })
  .partial()
  .describe('A new chat.');

/** The body of `PATCH /{id}`. */
export const UpdateChat = z
  .strictObject({
    title: z.string().nullable().describe('Display name, at most 200 characters. Absent: unchanged. Empty: none.'),
    mcp_server_ids: serverIds.nullable().describe('The selected servers. Absent: unchanged. Empty: none.'),
  })
  .partial()
  .describe('Changes to a chat.');

/** The body of `POST /{id}/messages`. */
export const CreateChatMessage = z
  .strictObject({
    content: z.string().describe('The text, 1 to 65,536 characters.'),
    mcp_server_ids: serverIds
      .nullable()
      .optional()
      .describe('The new selected servers of the chat. Absent: unchanged. Empty: none.'),
  })
  .describe("A new message in one of the caller's chats.");

/** A server in effect in a chat. */
export const ChatMcpServer = z
  .strictObject({
    id: z.string().describe('Its id.').meta({ format: 'uuid' }),
    slug: z.string().describe('Short unique name.'),
    display_name: z.string().describe('The name that people see.'),
    source: z.enum(['forced', 'selected']).describe('Whether it is forced by an admin or selected for the chat.'),
    state: z
      .enum(['ready', 'needs_connect', 'reconnect', 'disabled', 'unavailable'])
      .describe("Whether the chat's owner can use it now, or what is missing."),
    reason: z.string().describe('Explains `source` and `state` in words.'),
  })
  .describe('A server in effect in a chat.');

/** A chat. */
export const Chat = z
  .strictObject({
    id: z.string().describe('Its id.').meta({ format: 'uuid' }),
    title: z.string().describe('Display name; may be empty.'),
    owner_id: z.string().describe('The id of the owner.').meta({ format: 'uuid' }),
    mcp_server_ids: z.array(z.string().meta({ format: 'uuid' })).describe('The selected servers.'),
    mcp_servers: z.array(ChatMcpServer).describe('The servers currently in effect.'),
    created_at: z.string().describe('When it was created (UTC).').meta({ format: 'date-time' }),
    updated_at: z.string().describe('When it was last changed (UTC).').meta({ format: 'date-time' }),
  })
  .describe('A chat, with the servers in effect in it.');

/** The same as a type. */
export type Chat = z.output<typeof Chat>;

/** A server behind the door of a chat. */
const ChatDoorServer = ChatMcpServer.extend({
  connect_url: z.string().optional().describe("Where the chat's owner connects. Absent where that would not help."),
}).describe('A server in effect in a chat, and where its owner connects to it.');

/** The MCP door of a chat. */
export const ChatDoor = z
  .strictObject({
    url: z.string().describe('The MCP endpoint with the tools of the chat.').meta({ format: 'uri' }),
    servers: z.array(ChatDoorServer).describe('The servers whose tools it has, by slug.'),
  })
  .describe('Where the tools of a chat are listed and called, and which servers they come from.');

/** A message. */
export const ChatMessage = z
  .strictObject({
    id: z.string().describe('Its id.').meta({ format: 'uuid' }),
    chat_id: z.string().describe('The id of the chat.').meta({ format: 'uuid' }),
    content: z.string().describe('The text.'),
    created_at: z.string().describe('When it was created (UTC).').meta({ format: 'date-time' }),
  })
  .describe('A message in a chat.');
