import type { Door, DoorAnswer } from '../../domain/door/door.ts';
import type { DoorList } from '../../domain/door/door-lists.ts';
import { type ToolResult, toToolResult } from '../../domain/door/tool-result.ts';
import { hasOnly, isRecord } from '../../mcp/plain-object.ts';
import { readTraceContext } from '../../mcp/request-meta.ts';
import { type DoorServerOptions, LIST_TTL_MS, toServerInfo } from './door-answer.ts';
import type { PlainRequest } from './plain-request.ts';

/** The answer as JSON, or what the library answers with: a door that has done the work already. */
export type PlainAnswer = { json: string | Uint8Array<ArrayBuffer> } | { door: Door };

/**
 * Does what a plain request asks for, and writes the answer, if that is plain, too. It is the same as the library's, byte
 * for byte, without a server and a stream for one answer.
 */
export async function answerPlain(
  request: PlainRequest,
  options: Pick<DoorServerOptions, 'door' | 'opened' | 'version' | 'inShare'> & { signal: AbortSignal },
): Promise<PlainAnswer> {
  const { door, opened, version, inShare, signal } = options;
  const id = JSON.stringify(request.id);
  const info = toServerInfo(version);
  if (request.method === 'tools/list') {
    const listed = inShare(() => door.listJson(opened), priceOfList);
    const tools = await listed.catch(() => undefined);
    if (tools === undefined) return { door: { ...door, list: () => listed as Promise<never> } };
    const rest = JSON.stringify({ ttlMs: LIST_TTL_MS, cacheScope: 'private', resultType: 'complete', _meta: info });
    const end = `],${rest.slice(1)},"jsonrpc":"2.0","id":${id}}`;
    return { json: Buffer.concat([LIST_BEGIN, tools.bytes, Buffer.from(end)]) };
  }
  const { name, arguments: args, meta } = request;
  const called = door.call(opened, { name, arguments: args }, { signal, trace: readTraceContext(meta) });
  const answer = await called.catch(() => undefined);
  const result = answer === undefined ? undefined : toPlainResult(answer, info);
  if (result === undefined) return { door: { ...door, call: () => called } };
  return { json: `{"result":${JSON.stringify(result)},"jsonrpc":"2.0","id":${id}}` };
}

/** What it costs to list, in milliseconds: an estimate, rather too much. */
const priceOfList = (list: DoorList | undefined): number =>
  0.1 + (list === undefined ? 0 : list.bytes.length * (list.isNew ? 2e-5 : 1e-6));

const LIST_BEGIN = Buffer.from('{"result":{"tools":[');

const RESULT = new Set(['content', 'structuredContent', 'isError', '_meta']);
const TEXT = new Set(['type', 'text']);

/** The result in the order of the library. Undefined if that would look into it. */
function toPlainResult(answer: DoorAnswer, info: ReturnType<typeof toServerInfo>): ToolResult | undefined {
  if (answer.kind === 'refused' && answer.elicitations !== undefined) return undefined;
  const result = toToolResult(answer);
  const { content, structuredContent, isError, _meta: meta } = result;
  if (!hasOnly(result, RESULT) || !Array.isArray(content) || !content.every(isText)) return undefined;
  if (structuredContent === null || (isError !== undefined && typeof isError !== 'boolean')) return undefined;
  if (meta !== undefined && (!isRecord(meta) || !Object.keys(meta).every((key) => key.startsWith('gatehouse/')))) {
    return undefined;
  }
  return {
    ...(meta !== undefined && { _meta: { ...meta, ...info } }),
    content: content.map(({ text }) => ({ type: 'text', text })),
    ...(structuredContent !== undefined && { structuredContent }),
    ...(isError !== undefined && { isError }),
    resultType: 'complete',
    ...(meta === undefined && { _meta: info }),
  };
}

function isText(item: unknown): item is { type: 'text'; text: string } {
  return hasOnly(item, TEXT) && item['type'] === 'text' && typeof item['text'] === 'string';
}
