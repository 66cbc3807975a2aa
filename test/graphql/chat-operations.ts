import type { TestGateway } from '../setup/gateway.ts';

/** The caller: a name in `gateway.tokens`. */
export type ChatCaller = keyof TestGateway['tokens'];

const CHAT_FIELDS = 'id title mcpServerIds mcpServers { source state reason config { id slug } }';

/** Creates a chat as the caller. */
export function beginChat(gateway: TestGateway, caller: ChatCaller, input: Record<string, unknown> = {}) {
  const query = `mutation ($input: CreateChatInput!) { createChat(input: $input) { ${CHAT_FIELDS} } }`;
  return gateway.graphql(query, { token: gateway.tokens[caller], variables: { input } });
}

/** Creates a chat that must be accepted. @returns it */
export async function newChat(gateway: TestGateway, caller: ChatCaller, input: Record<string, unknown> = {}) {
  const { data, errors } = await beginChat(gateway, caller, input);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data.createChat;
}

/** Adds a message as the caller. */
export function writeMessage(gateway: TestGateway, caller: ChatCaller, input: Record<string, unknown>) {
  const query = 'mutation ($input: CreateChatMessageInput!) { createChatMessage(input: $input) { id content } }';
  const variables = { input: { content: 'Hello', ...input } };
  return gateway.graphql(query, { token: gateway.tokens[caller], variables });
}

/** Changes a chat as the caller. */
export function changeChat(gateway: TestGateway, caller: ChatCaller, input: Record<string, unknown>) {
  const query = `mutation ($input: UpdateChatInput!) { updateChat(input: $input) { chat { ${CHAT_FIELDS} } } }`;
  return gateway.graphql(query, { token: gateway.tokens[caller], variables: { input } });
}

/** Deletes a chat as the caller. */
export function dropChat(gateway: TestGateway, caller: ChatCaller, id: string) {
  const query = 'mutation ($input: DeleteChatInput!) { deleteChat(input: $input) { deletedId } }';
  return gateway.graphql(query, { token: gateway.tokens[caller], variables: { input: { id } } });
}

/** A chat as the caller sees it; null if they may not. */
export async function readChat(gateway: TestGateway, caller: ChatCaller, id: string) {
  const query = `query ($id: UUID!) { chat(id: $id) { ${CHAT_FIELDS} } }`;
  const { data, errors } = await gateway.graphql(query, { token: gateway.tokens[caller], variables: { id } });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data.chat;
}
