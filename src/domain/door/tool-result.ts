import type { DoorAnswer } from './door.ts';

/** The result of a tool, as MCP has it. */
export interface ToolResult {
  readonly content?: unknown;
  readonly structuredContent?: unknown;
  readonly isError?: unknown;
  readonly [part: string]: unknown;
}

/** The result of a call. Of a tool that was called, it is the server's own. */
export function toToolResult(answer: DoorAnswer): ToolResult {
  if (answer.kind === 'refused') return toRefusal(answer.code, answer.message, answer.connectUrl);
  if (answer.kind === 'status') {
    return { content: [{ type: 'text', text: answer.text }], structuredContent: { servers: answer.servers } };
  }
  return answer.result;
}

/** A refusal is a result: a model reads results, and can act on them. The code is for programs. */
export function toRefusal(code: string, message: string, connectUrl?: string): ToolResult {
  const hasLink = connectUrl === undefined || message.includes(connectUrl);
  const text = hasLink ? message : `${message} ${connectUrl}`;
  return {
    content: [{ type: 'text', text }],
    isError: true,
    _meta: { 'gatehouse/code': code, ...(connectUrl !== undefined && { 'gatehouse/connectUrl': connectUrl }) },
  };
}
