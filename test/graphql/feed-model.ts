import fc from 'fast-check';
import { expect } from 'vitest';
import type { TestGateway } from '../setup/gateway.ts';
import { DeleteConfig } from '../setup/operations.ts';
import { createId, update } from './config-operations.ts';
import { type EventStream, openEvents } from './sse-client.ts';
import { insertUserToken } from './user-tokens.ts';

/** The subscribers: one who sees everything, and one who sees enabled configs. */
export const VIEWERS = ['admin', 'member'] as const;

/** One of them. */
export type ModelViewer = (typeof VIEWERS)[number];

/** A committed change, as the model records it. */
interface Committed {
  id: string;
  /** Null where there was, or is, no config. */
  before: boolean | null;
  after: boolean | null;
  version: number;
  /** A member's connection that was added or removed. */
  isConnection?: true;
}

/** The model. */
export interface Model {
  log: Committed[];
  configs: Map<string, { enabled: boolean; version: number; isConnected: boolean }>;
  /** Changes before this index have expired. */
  expired: number;
  viewers: Record<ModelViewer, { index: number; isOpen: boolean; openedAt: number }>;
}

/** The real system. */
export interface Real {
  gateway: TestGateway;
  viewers: Record<ModelViewer, { stream: EventStream | undefined; cursor: string }>;
}

type Command = fc.AsyncCommand<Model, Real>;

const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;
const OAUTH = {
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://as.example.com/authorize',
  oauth2TokenUrl: 'https://as.example.com/token',
};

/** Two subscribers to an empty feed. */
export async function begin(gateway: TestGateway): Promise<{ model: Model; real: Real }> {
  const real: Real = {
    gateway,
    viewers: { admin: { stream: undefined, cursor: '' }, member: { stream: undefined, cursor: '' } },
  };
  const model: Model = {
    log: [],
    configs: new Map(),
    expired: 0,
    viewers: { admin: { index: 0, isOpen: true, openedAt: 0 }, member: { index: 0, isOpen: true, openedAt: 0 } },
  };
  for (const viewer of VIEWERS) {
    const stream = await openEvents(gateway, gateway.tokens[viewer]);
    const bookmark = await stream.nextOfAny();
    real.viewers[viewer] = { stream, cursor: bookmark?.cursor ?? '' };
  }
  return { model, real };
}

function canSee(viewer: ModelViewer, enabled: boolean | null): boolean {
  return enabled !== null && (viewer === 'admin' || enabled);
}

/**
 * The events that a viewer should receive for the changes since an index. Those from before the stream was opened show
 * the config of that moment, or only its removal. The others show what they made.
 */
function expectedEvents({ log, viewers }: Model, viewer: ModelViewer, from: number): unknown[] {
  const { openedAt } = viewers[viewer];
  return log.slice(from).flatMap(({ id, before, after, version, isConnection }, offset): unknown[] => {
    const [did, does] = [canSee(viewer, before), canSee(viewer, after)];
    if (!does) return did && isConnection !== true ? [['REMOVED', id, undefined]] : [];
    if (isConnection === true && viewer !== 'member') return [];
    const type = did || isConnection === true ? 'MODIFIED' : 'ADDED';
    if (from + offset >= openedAt) return [[type, id, version]];
    const present = log.slice(0, openedAt).findLast((change) => change.id === id);
    return canSee(viewer, present?.after ?? null) ? [[type, id, present?.version]] : [];
  });
}

async function createConfig(model: Model, { gateway }: Real, enabled: boolean): Promise<string> {
  const id = await createId(gateway, { enabled, ...OAUTH });
  model.configs.set(id, { enabled, version: 1, isConnected: false });
  model.log.push({ id, before: null, after: enabled, version: 1 });
  return id;
}

/** A command on an existing config. */
function onConfig(
  name: string,
  isPossible: (config: { isConnected: boolean }) => boolean,
  run: (id: string, model: Model, real: Real) => Promise<void>,
): fc.Arbitrary<Command> {
  return fc.nat({ max: 1_000 }).map((pick) => {
    const find = ({ configs }: Model) => {
      const possible = [...configs].filter(([, config]) => isPossible(config));
      return possible[pick % Math.max(possible.length, 1)]?.[0];
    };
    return {
      check: (model: Readonly<Model>) => find(model as Model) !== undefined,
      run: (model: Model, real: Real) => run(find(model) ?? '', model, real),
      toString: () => `${name}(${pick})`,
    };
  });
}

const creates = fc.boolean().map(
  (enabled): Command => ({
    check: () => true,
    run: async (model, real) => void (await createConfig(model, real, enabled)),
    toString: () => `create(${enabled})`,
  }),
);

function changes(name: string, toEnabled: (enabled: boolean) => boolean) {
  return onConfig(
    name,
    () => true,
    async (id, { configs, log }, { gateway }) => {
      const config = configs.get(id);
      if (config === undefined) return;
      const before = config.enabled;
      config.enabled = toEnabled(before);
      config.version += 1;
      const { errors } = await update(gateway, id, { enabled: config.enabled, description: `v${config.version}` });
      expect(errors).toBeUndefined();
      log.push({ id, before, after: config.enabled, version: config.version });
    },
  );
}

const deletes = onConfig(
  'delete',
  () => true,
  async (id, { configs, log }, { gateway }) => {
    await gateway.execute(DeleteConfig, { token: gateway.tokens.admin, variables: { id } });
    const config = configs.get(id);
    configs.delete(id);
    log.push({ id, before: config?.enabled ?? null, after: null, version: 0 });
  },
);

const rollsBack = onConfig(
  'rollBack',
  () => true,
  async (id, _model, { gateway }) => {
    const undone = gateway.prisma().$transaction(async (tx) => {
      await tx.mcpServerConfig.update({ where: { id }, data: { enabled: true, version: { increment: 1 } } });
      await tx.mcpServerConfig.deleteMany({ where: { id: { not: id } } });
      // Deferred triggers run before everything is rolled back.
      await tx.$executeRawUnsafe('SET CONSTRAINTS ALL IMMEDIATE');
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
  },
);

const connects = onConfig(
  'connect',
  ({ isConnected }) => !isConnected,
  async (id, { configs, log }, { gateway }) => {
    await insertUserToken(gateway, { configId: id, userId: gateway.userIds.member });
    const config = configs.get(id);
    if (config === undefined) return;
    config.isConnected = true;
    log.push({ id, before: config.enabled, after: config.enabled, version: config.version, isConnection: true });
  },
);

const disconnects = onConfig(
  'disconnect',
  ({ isConnected }) => isConnected,
  async (id, { configs, log }, { gateway }) => {
    const path = `/api/experimental/mcp/servers/${id}/oauth2/disconnect`;
    const headers = { authorization: `Bearer ${gateway.tokens.member}` };
    expect((await gateway.fetch(path, { method: 'DELETE', headers })).status).toBe(204);
    const config = configs.get(id);
    if (config === undefined) return;
    config.isConnected = false;
    log.push({ id, before: config.enabled, after: config.enabled, version: config.version, isConnection: true });
  },
);

const viewers = fc.constantFrom(...VIEWERS);

const cutsOff = viewers.map(
  (viewer): Command => ({
    check: (model) => model.viewers[viewer].isOpen,
    async run(model, real) {
      model.viewers[viewer].isOpen = false;
      await real.viewers[viewer].stream?.close();
    },
    toString: () => `cutOff(${viewer})`,
  }),
);

const reads = viewers.map(
  (viewer): Command => ({
    check: (model) => model.viewers[viewer].isOpen,
    run: (model, real) => readAll(model, real, viewer),
    toString: () => `read(${viewer})`,
  }),
);

const resumes = viewers.map(
  (viewer): Command => ({
    check: (model) => !model.viewers[viewer].isOpen,
    run: (model, real) => resume(model, real, viewer),
    toString: () => `resume(${viewer})`,
  }),
);

const expires = fc.constant<Command>({
  check: ({ log }) => log.length > 0,
  async run(model, { gateway }) {
    // Changes have the time of the database.
    gateway.clock.now = new Date();
    gateway.clock.advance(WEEK_MS + 60_000);
    await gateway.expire();
    gateway.clock.advance(-WEEK_MS - 60_000);
    model.expired = model.log.length;
  },
  toString: () => 'expire',
});

/** Reads all events up to now and compares them with the model. */
async function readAll(model: Model, real: Real, viewer: ModelViewer): Promise<void> {
  const end = await createConfig(model, real, true);
  const { stream } = real.viewers[viewer];
  const expected = expectedEvents(model, viewer, model.viewers[viewer].index);
  const found: unknown[] = [];
  for (;;) {
    const event = await stream?.next();
    if (event === undefined) {
      // Changes expired before this subscriber received them: they get an error, and everything before it is right.
      expect(stream?.errors).toEqual(['CURSOR_EXPIRED']);
      expect(model.viewers[viewer].index).toBeLessThan(model.expired);
      expect(found).toEqual(expected.slice(0, found.length));
      return beginAnew(model, real, viewer);
    }
    found.push([event.type, event.configId, event.config?.['version']]);
    real.viewers[viewer].cursor = event.cursor;
    if (event.configId === end) break;
  }
  expect(found).toEqual(expected);
  model.viewers[viewer].index = model.log.length;
}

/** Resumes after the last event that was read; after CURSOR_EXPIRED, starts with a new snapshot. */
async function resume(model: Model, real: Real, viewer: ModelViewer): Promise<void> {
  const { gateway } = real;
  const own = model.viewers[viewer];
  own.isOpen = true;
  own.openedAt = model.log.length;
  const stream = await openEvents(gateway, gateway.tokens[viewer], { after: real.viewers[viewer].cursor });
  real.viewers[viewer].stream = stream;
  if (own.index >= model.expired) return readAll(model, real, viewer);

  expect(await stream.nextOfAny()).toBeUndefined();
  expect(stream.errors).toEqual(['CURSOR_EXPIRED']);
  return beginAnew(model, real, viewer);
}

async function beginAnew(model: Model, real: Real, viewer: ModelViewer): Promise<void> {
  const { gateway } = real;
  const anew = await openEvents(gateway, gateway.tokens[viewer], { includeInitial: true });
  const found: unknown[] = [];
  for (;;) {
    const event = await anew.nextOfAny();
    real.viewers[viewer] = { stream: anew, cursor: event?.cursor ?? '' };
    if (event?.type === 'BOOKMARK') break;
    found.push([event?.type, event?.configId, event?.config?.['version']]);
  }
  const visible = [...model.configs].filter(([, { enabled }]) => canSee(viewer, enabled));
  expect(found).toEqual(visible.map(([id, { version }]) => ['ADDED', id, version]).sort());
  model.viewers[viewer].index = model.log.length;
  model.viewers[viewer].openedAt = model.log.length;
}

/** All commands, in any order. */
export const FEED_COMMANDS = [
  creates,
  changes('change', (enabled) => enabled),
  changes('toggle', (enabled) => !enabled),
  deletes,
  rollsBack,
  connects,
  disconnects,
  cutsOff,
  resumes,
  reads,
  expires,
];

/** Both subscribers read to the end, whatever they were doing. */
export async function finish(model: Model, real: Real): Promise<void> {
  for (const viewer of VIEWERS) {
    await (model.viewers[viewer].isOpen ? readAll : resume)(model, real, viewer);
    await real.viewers[viewer].stream?.close();
  }
}
