import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * How much code a WebAssembly function runs before V8 compiles it a second time, optimized. V8 of Node 20 does so after
 * 1,800,000 bytes, which most functions of a database reach while it starts: half of the start's processor time and 60 MB were
 * for code that hardly ran again. What is busy is still optimized, a moment later.
 */
const WASM_TIERING_BUDGET = 50_000_000;

/** How much the heap may grow beyond the live objects before a full garbage collection, in percent. */
const HEAP_GROWING_PERCENT = 30;

/** How long after the start at the earliest, when nothing of it goes on any more. */
const AFTER_START_MS = 16_000;

/** A process is idle if it has done nothing for most of the time since it was last asked. */
const IDLE_CHECK_MS = 4_000;
const IDLE_UTILIZATION = 0.1;

/**
 * The collections of young objects before. V8 gives the space for young objects back only at a collection that follows some
 * seconds in which few objects were made. It counts those that an earlier collection found old as made after that one.
 */
const YOUNG_AFTER_START_MS = [4_000, 10_000];

/** Makes V8 optimize only what is busy. Call this before anything loads WebAssembly: the embedded database and Prisma do. */
export function limitWasmTiering(): void {
  setFlagsFromString(`--wasm-tiering-budget=${WASM_TIERING_BUDGET}`);
}

/**
 * Makes V8 collect garbage earlier. With plenty of memory, V8 lets the heap triple before a full collection. Thousands of
 * idle streams leave garbage that only a full collection frees, so a process that needs 150 MB would use 500 MB. Call
 * this before the gateway serves requests, and after it has loaded what it needs: a heap that only grows needs no collections.
 */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
}

/**
 * Frees what only the start needed, a while after it, and moves what remains together. An idle process would keep it until it
 * has made as much garbage again. A full collection stops the process for a while, so it waits until the process is idle: one
 * that is busy collects by itself.
 */
export function collectGarbageAfterStart(): void {
  for (const ms of YOUNG_AFTER_START_MS) setTimeout(() => loadCollect()(true), ms).unref();
  let age = 0;
  let seen = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const { utilization } = performance.eventLoopUtilization(seen);
    seen = performance.eventLoopUtilization();
    age += IDLE_CHECK_MS;
    if (age < AFTER_START_MS || utilization > IDLE_UTILIZATION) return;
    clearInterval(timer);
    const collect = loadCollect();
    setFlagsFromString('--compact-on-every-full-gc');
    collect();
    setFlagsFromString('--no-compact-on-every-full-gc');
  }, IDLE_CHECK_MS).unref();
}

function loadCollect(): (onlyYoung?: boolean) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (onlyYoung?: boolean) => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
