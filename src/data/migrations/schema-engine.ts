import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import type { SchemaEngine as Engine } from '@prisma/schema-engine-wasm';

interface EngineModule {
  SchemaEngine: typeof Engine;
  __wbg_set_wasm(exports: Record<string, unknown>): void;
}

/** The name of the import with which the engine starts a timer; the rest of it changes with the version. */
const SET_TIMEOUT = /^__wbg_setTimeout_/;

/** The parts of the WebAssembly global that @types/node does not declare. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
  };
};

/** The engine reports a panic here before it traps. Without the registry the report itself would throw. */
const panicRegistry = {
  message: '',
  set_message(message: string): void {
    panicRegistry.message = message;
  },
};

/** The timers of the engine that runs: a few for each run, which ends them. */
const timers = new Set<NodeJS.Timeout>();

/**
 * The engine never stops its timers. The one that limits how long it waits for its lock would keep a process, which could
 * end, for ten seconds.
 */
function keepTimers(engineModule: EngineModule): Record<string, unknown> {
  const imports: Record<string, unknown> = { ...engineModule };
  const name = Object.keys(imports).find((each) => SET_TIMEOUT.test(each));
  if (name === undefined) throw new Error("the schema engine's timers are unknown");
  imports[name] = (callback: () => void, ms: number) => {
    const timer = setTimeout(callback, ms);
    timers.add(timer);
    return timer;
  };
  return imports;
}

function stopTimers(): void {
  for (const timer of timers) clearTimeout(timer);
  timers.clear();
}

let loading: Promise<EngineModule> | undefined;

/**
 * Node 20 cannot import `.wasm`, so the module is instantiated by hand. The binding keeps the instance in a module
 * variable; the import query gives this code its own copy of the module, even if other code in the process loads the
 * package.
 */
async function loadEngine(): Promise<EngineModule> {
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: panicRegistry });
  const bindingPath = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bindingUrl = `${pathToFileURL(bindingPath).href}?instance=${randomUUID()}`;
  const engineModule = (await import(bindingUrl)) as unknown as EngineModule;
  const { instance } = await WebAssembly.instantiate(await readFile(bindingPath.replace(/\.js$/, '.wasm')), {
    './schema_engine_bg.js': keepTimers(engineModule),
  });
  engineModule.__wbg_set_wasm(instance.exports);
  (instance.exports['__wbindgen_start'] as () => void)();
  return engineModule;
}

let lastWork: Promise<unknown> = Promise.resolve();

/**
 * Runs `work` with a schema engine over a driver adapter. Runs are serialised within this process, because two engines
 * in the same WebAssembly instance would overwrite each other's memory.
 *
 * @param datamodel the text of `schema.prisma`, if the work needs it
 * @throws the engine's error; its multi-line message contains the reason
 */
export function withSchemaEngine<Result>(
  adapterFactory: SqlMigrationAwareDriverAdapterFactory,
  datamodel: string | undefined,
  work: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const run = async (): Promise<Result> => {
    loading ??= loadEngine();
    const { SchemaEngine: EngineClass } = await loading;
    const datamodels: [string, string][] | undefined =
      datamodel === undefined ? undefined : [['schema.prisma', datamodel]];
    const bound = bindMigrationAwareSqlAdapterFactory(adapterFactory);
    const engine = await EngineClass.new({ datamodels }, () => undefined, bound);
    try {
      return await work(engine);
    } finally {
      engine.free();
      stopTimers();
    }
  };
  const result = lastWork.then(run, run);
  lastWork = result.catch(() => undefined);
  return result;
}
