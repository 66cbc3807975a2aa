import {
  Chat,
  ChatDoor,
  ChatMcpServer,
  ChatMessage,
  CreateChat,
  CreateChatMessage,
  UpdateChat,
} from './chat-schemas.ts';
import type { RestGroup } from './operation.ts';

const SERVER_ID = '5f1c9a52-6f0f-4d3c-9f51-0c5ad9a3a0d4';

const EXAMPLE_CHAT: Chat = {
  id: '0c8e5f0a-3a5e-4d8b-9f5e-2b6f1d9f7a10',
  title: 'Release notes',
  owner_id: '9b2f4f1e-7c0d-4a41-8a7c-51a0f2f0f6b3',
  mcp_server_ids: [SERVER_ID],
  mcp_servers: [
    {
      id: SERVER_ID,
      slug: 'issues',
      display_name: 'Issue tracker',
      source: 'selected',
      state: 'ready',
      reason: 'It is selected for this chat. It is ready to use.',
    },
  ],
  created_at: '2026-11-23T09:30:00.000Z',
  updated_at: '2026-11-23T09:30:00.000Z',
};

/** The REST routes about chats. */
export const CHAT_GROUP = {
  prefix: '/api/experimental/chats',
  name: 'Chats',
  description: "A user's chats and the MCP servers that are in effect in them.",
  experiment: 'agents',
  schemas: { Chat, ChatDoor, ChatMcpServer, ChatMessage, CreateChat, CreateChatMessage, UpdateChat },
  operations: {
    createChat: {
      method: 'post',
      path: '',
      action: 'chat.create',
      summary: 'Create a chat',
      description: 'Creates a chat that the caller owns.',
      body: { schema: CreateChat, examples: { 'one server': { title: 'Release notes', mcp_server_ids: [SERVER_ID] } } },
      success: {
        status: 201,
        description: 'The new chat.',
        content: { schema: Chat, examples: { 'one server': EXAMPLE_CHAT } },
      },
    },
    getChat: {
      method: 'get',
      path: '/{id}',
      action: 'chat.read',
      summary: 'Get a chat',
      description: "Returns one of the caller's chats. Services can read any chat.",
      success: {
        status: 200,
        description: 'The chat.',
        content: { schema: Chat, examples: { 'one server': EXAMPLE_CHAT } },
      },
    },
    updateChat: {
      method: 'patch',
      path: '/{id}',
      action: 'chat.write',
      summary: 'Update a chat',
      description: "Changes the title or the selected servers of one of the caller's chats.",
      body: {
        schema: UpdateChat,
        examples: { title: { title: 'Release notes' }, 'no servers': { mcp_server_ids: [] } },
      },
      success: {
        status: 200,
        description: 'The chat after the change.',
        content: { schema: Chat, examples: { 'one server': EXAMPLE_CHAT } },
      },
    },
    deleteChat: {
      method: 'delete',
      path: '/{id}',
      action: 'chat.delete',
      summary: 'Delete a chat',
      description: "Deletes one of the caller's chats with its messages.",
      success: { status: 204, description: 'The chat was deleted.' },
    },
    getChatMcp: {
      method: 'get',
      path: '/{id}/mcp',
      action: 'mcp.use',
      summary: 'Get the MCP door of a chat',
      description:
        "Returns where the tools of one of the caller's chats are listed and called, and the servers that they come from. Services can ask about any chat; they act as its owner at the door.",
      success: {
        status: 200,
        description: 'The door.',
        content: {
          schema: ChatDoor,
          examples: {
            'one server': {
              url: `https://gatehouse.example.com/mcp/chats/${EXAMPLE_CHAT.id}`,
              servers: EXAMPLE_CHAT.mcp_servers,
            },
          },
        },
      },
    },
    createChatMessage: {
      method: 'post',
      path: '/{id}/messages',
      action: 'chat.write',
      summary: 'Create a message',
      description: "Adds a message to one of the caller's chats. Can also change the selected servers of the chat.",
      body: {
        schema: CreateChatMessage,
        examples: {
          'same servers': { content: 'What is new?' },
          'no servers': { content: 'Without tools, please.', mcp_server_ids: [] },
        },
      },
      success: {
        status: 201,
        description: 'The new message.',
        content: {
          schema: ChatMessage,
          examples: {
            message: {
              id: '7c0d9b2f-4f1e-4a41-8a7c-51a0f2f0f6b3',
              chat_id: EXAMPLE_CHAT.id,
              content: 'What is new?',
              created_at: '2026-11-23T09:31:00.000Z',
            },
          },
        },
      },
    },
  },
} as const satisfies RestGroup;
