import type { AuditAction, McpServerConfigRecord } from '../../data/records.ts';
import type { RequestedEntry } from '../../data/repositories/audit-repository.ts';
import type { Store } from '../../data/store.ts';
import { CONNECTION_LIMITS } from '../../limits/connection-limits.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import type { Asked } from '../../mcp/upstreams.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { currentRequest } from '../../telemetry/request-scope.ts';
import { toConfigTarget } from '../configs/config-audit.ts';
import type { CallUsage } from './call-usage.ts';

/** Which calls get an audit entry. */
export const TOOL_CALL_AUDITS = ['off', 'denied', 'all'] as const;
/** One of them. */
export type ToolCallAudit = (typeof TOOL_CALL_AUDITS)[number];

/** How a call ended. `tool_error`: the tool itself says that it failed. */
export const TOOL_CALL_OUTCOMES = ['success', 'tool_error', 'denied', 'failed'] as const;
/** One of them. */
export type ToolCallOutcome = (typeof TOOL_CALL_OUTCOMES)[number];

/** A call that has ended. Without its arguments and without what came back. */
export interface ToolCallRecord {
  viewer: Viewer;
  /** As whom the server was called. */
  userId: string;
  chatId: string | undefined;
  config: Pick<McpServerConfigRecord, 'id' | 'slug'>;
  /** A tool that is in the catalogue, or a resource or prompt that the caller may ask its server for. */
  asked: Asked;
  outcome: ToolCallOutcome;
  /** Why there is no result. */
  code: string | undefined;
  ms: number;
  /** The size of the answer, if there was one. */
  bytes: number | undefined;
}

/**
 * One transaction writes so many entries. All other changes wait for it, such as the one that switches a server off, so it
 * has to be short.
 */
const ENTRIES_AT_ONCE = 50;
/** How long the first of them waits for others. */
const GATHER_MS = 100;

/** Records calls of tools. */
export type CallRecords = ReturnType<typeof createCallRecords>;

/**
 * Creates the recorder. Each transaction of the audit log is one that all others wait for. So calls do not wait for their
 * entries: a transaction writes many that came while the last one ran. When the queue is full, calls wait for it, and
 * none is left out.
 *
 * @param onError learns that entries could not be written, and how many
 */
export function createCallRecords(options: {
  store: Store;
  audits: ToolCallAudit;
  usage: Pick<CallUsage, 'count'>;
  /** Learns of each call. */
  onCall: (call: Pick<ToolCallRecord, 'config' | 'outcome' | 'ms'>) => void;
  onError: (error: unknown, count: number) => void;
}) {
  const { store, audits, usage, onCall, onError } = options;
  const maxWaiting = CONNECTION_LIMITS.waitingCallRecords.value;
  const waiting: RequestedEntry[] = [];
  let writing: Promise<void> | undefined;
  let batch: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** How many came, and how many of them are done. */
  let [recorded, written] = [0, 0];

  const writeBatch = async (entries: readonly RequestedEntry[]): Promise<void> => {
    try {
      await store.transaction((tx) => tx.audit.appendAll(SYSTEM, { entries }));
    } catch (error) {
      onError(error, entries.length);
    }
    written += entries.length;
  };

  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      batch = writeBatch(waiting.splice(0, ENTRIES_AT_ONCE));
      await batch;
    }
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
    return writing;
  };

  const writeSome = (): Promise<void> | undefined => {
    void flush();
    return batch;
  };

  return {
    /** Records a call that has ended. Resolves when there is room for more. */
    async record(record: ToolCallRecord): Promise<void> {
      if (record.asked.kind === 'tool') {
        onCall(record);
        usage.count({ ...record, configId: record.config.id });
      }
      if (audits === 'off' || (audits === 'denied' && record.outcome !== 'denied')) return;
      waiting.push({ entry: toEntry(record), request: currentRequest() });
      recorded += 1;
      if (waiting.length >= ENTRIES_AT_ONCE) void flush();
      else timer ??= setTimeout(flush, GATHER_MS);
      while (waiting.length >= maxWaiting) await writeSome();
    },

    /** Resolves when all entries are written that were recorded until now. Does not wait for those that come meanwhile. */
    async settle(): Promise<void> {
      const last = recorded;
      while (written < last) await writeSome();
    },
  };
}

const ACTIONS = {
  tool: 'mcpTool.call',
  resource: 'mcpResource.read',
  prompt: 'mcpPrompt.get',
} as const satisfies Record<Asked['kind'], AuditAction>;

/** Which one it was. A query and a fragment may have what a caller filled in, and are left out, as arguments are. */
function toName(asked: Asked): string {
  if (asked.kind === 'tool') return asked.name;
  const name = asked.kind === 'prompt' ? asked.name : asked.uri.replace(/[?#].*$/s, '');
  return name.slice(0, MCP_LIMITS.recordedName.value).toWellFormed().replaceAll('\0', '\uFFFD');
}

function toEntry({ viewer, userId, chatId, config, asked, outcome, code, ms, bytes }: ToolCallRecord) {
  const facts = { [asked.kind]: toName(asked), userId, chatId, ms, bytes };
  return {
    actor: viewer,
    action: ACTIONS[asked.kind],
    outcome: outcome === 'tool_error' ? 'failed' : outcome,
    target: toConfigTarget(config),
    changes: Object.entries(facts).flatMap(([field, after]) =>
      after === undefined ? [] : [{ field, before: null, after }],
    ),
    reason: outcome === 'tool_error' ? 'TOOL_ERROR' : code,
  } as const;
}
