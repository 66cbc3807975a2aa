import { WebSocket } from 'ws';

/** The memory of a process after a full garbage collection, in bytes. */
export interface ProcessMemory {
  /** JavaScript objects and buffers. */
  live: number;
  /** What the operating system counts. */
  resident: number;
}

/** Reads a process's memory through its inspector (`node --inspect`), without any code in the process itself. */
export interface Inspector {
  readMemory(): Promise<ProcessMemory>;
  close(): void;
}

/** @param url as printed by Node: `ws://127.0.0.1:…` */
export async function connectInspector(url: string): Promise<Inspector> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, { resolve(result: any): void; reject(error: Error): void }>();
  let lastId = 0;
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('message', (data) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id === undefined) return;
    waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the process ended'));
    waiting.clear();
  });

  const send = (method: string, params: object = {}): Promise<any> =>
    new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      socket.send(JSON.stringify({ id: lastId, method, params }));
    });

  return {
    async readMemory() {
      // Twice: finalizers of the first round release more.
      await send('HeapProfiler.collectGarbage');
      await send('HeapProfiler.collectGarbage');
      const expression = 'JSON.stringify(process.memoryUsage())';
      const { result } = await send('Runtime.evaluate', { expression, returnByValue: true });
      const { heapUsed, external, rss } = JSON.parse(result.value) as NodeJS.MemoryUsage;
      return { live: heapUsed + external, resident: rss };
    },
    close: () => socket.terminate(),
  };
}
