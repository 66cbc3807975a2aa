import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { findTestServer } from '../setup/find-server.ts';
import { findFreePort } from '../setup/free-port.ts';
import { createOwnDatabase } from '../setup/own-database.ts';
import { makeFolder, startCommand } from '../setup/process.ts';
import { within } from '../setup/wait-until.ts';
import { startHonestCaller } from './children.ts';
import { findSlowness, type Harm, isDelayed, isQuiet, percentile99 } from './harm.ts';
import type { HonestReport } from './honest-caller.ts';
import { connectInspector, type ProcessMemory } from './inspector.ts';

/** A gateway in a process with a small heap, for one attack after the other. */
export interface AttackedGateway {
  port: number;
  adminToken: string;
  /** The attacker's, and another member's. */
  tokens: { member: string; honest: string };
  /** The attacker's user. */
  memberId: string;
  /** Sends an operation, by default as the attacker. Does not judge the answer. */
  graphql(query: string, options?: { variables?: unknown; token?: string }): Promise<{ status: number; body: any }>;
  /** Sends an operation as the bootstrap admin. @throws if there are errors */
  asAdmin(query: string, variables?: unknown): Promise<any>;
  /** Creates a user with a token. */
  createUser(role?: string): Promise<{ id: string; token: string }>;
  /** After a full garbage collection. */
  readMemory(): Promise<ProcessMemory>;
  /** Answers with status 500 and masked errors so far. */
  countFaults(): Promise<number>;
  output(): string;
  /**
   * Runs `attack` again and again beside the honest caller. See `expectHarmless`. How long that caller waits without an
   * attack is measured before, unless it was while the machine did nothing else.
   */
  measure(attack: () => Promise<unknown>, options: { seconds: number; quietAgain?: boolean }): Promise<Harm>;
  close(): Promise<void>;
}

const DEFAULT_HEAP_MB = 256;
const QUIET_SECONDS = 2;
const QUIET_STEP_MS = 200;
/** How long the start of the gateway, or an attack, may still be felt after it. */
const AFTERMATH_MS = 1_000;
const MIN_CALLS = 100;
/** How long memory may take to settle after an attack. */
const SETTLE_MS = 3_000;

const MAX_GROWTH_BYTES = 100_000_000;

/**
 * Starts a gateway as a user does, on the PostgreSQL server of this machine if there is one, else with the embedded
 * database. Close it.
 */
export async function startAttackedGateway(
  options: { heapMb?: number; env?: Record<string, string> } = {},
): Promise<AttackedGateway> {
  const cleanUps: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  };
  try {
    return await start(options, cleanUps, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  { heapMb = DEFAULT_HEAP_MB, env = {} }: { heapMb?: number; env?: Record<string, string> },
  cleanUps: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<AttackedGateway> {
  const { folder, remove } = await makeFolder();
  cleanUps.push(remove);
  const serverUrl = await findTestServer();
  const own = serverUrl === undefined ? undefined : await createOwnDatabase(serverUrl);
  if (own !== undefined) cleanUps.push(own.drop);
  const adminToken = randomBytes(24).toString('base64url');
  const port = await findFreePort();
  const command = startCommand(['serve'], {
    cwd: folder,
    env: {
      NODE_OPTIONS: `--max-old-space-size=${heapMb} --inspect=127.0.0.1:0`,
      PORT: String(port),
      ...(own !== undefined && { DATABASE_URL: own.url }),
      GATEHOUSE_ADMIN_TOKEN: adminToken,
      GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
      GATEHOUSE_LOG_LEVEL: 'error',
      ...env,
    },
  });
  cleanUps.push(async () => {
    command.child.kill('SIGKILL');
    await command.exit;
  });
  await within('the gateway starts', 60_000, command.waitFor('Gatehouse listens on'));
  const inspectorUrl = /Debugger listening on (ws:\S+)/.exec(command.output())?.[1];
  if (inspectorUrl === undefined) throw new Error(`no inspector:\n${command.output()}`);
  const inspector = await connectInspector(inspectorUrl);
  cleanUps.push(async () => inspector.close());

  const post = async (query: string, token: string, variables?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, body: (await response.json()) as any };
  };
  const asAdmin = async (query: string, variables?: unknown) => {
    const { body } = await post(query, adminToken, variables);
    if (body.errors !== undefined) throw new Error(JSON.stringify(body.errors));
    return body.data;
  };
  const createUser = async (role = 'MEMBER') => {
    const email = `${randomBytes(6).toString('hex')}@example.com`;
    const { createUser: user } = await asAdmin(
      'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }',
      { input: { email, role } },
    );
    const { createApiToken } = await asAdmin(
      'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }',
      { input: { userId: user.id, name: 'attack' } },
    );
    return { id: user.id as string, token: createApiToken.token as string };
  };
  const countFaults = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const faults = text
      .split('\n')
      .filter((line) => /^gatehouse_\w+_(?:total|count)\{/.test(line))
      .filter((line) => line.includes('status="500"') || line.includes('outcome="INTERNAL_SERVER_ERROR"'));
    return faults.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };

  const member = await createUser();
  const honest = await createUser();
  const caller = await startHonestCaller({ port, token: honest.token });
  cleanUps.push(caller.stop);

  /** Reads the memory until it is as small as it must be, or until it should have been. */
  const readSettled = async (mostBytes: number): Promise<ProcessMemory> => {
    const latest = performance.now() + SETTLE_MS;
    for (;;) {
      await delay(SETTLE_MS / 10);
      const memory = await inspector.readMemory();
      if (memory.live < mostBytes || performance.now() > latest) return memory;
    }
  };

  /** What the honest caller reports, over at least so many seconds and calls. */
  const listen = async (seconds: number, during: () => Promise<unknown>): Promise<HonestReport> => {
    await caller.take();
    const endsAt = performance.now() + seconds * 1_000;
    const heard: HonestReport = { durations: [], controlDurations: [], failures: [] };
    while (performance.now() < endsAt || heard.durations.length < MIN_CALLS) {
      await during();
      const { durations, controlDurations, failures } = await caller.take();
      heard.durations.push(...durations);
      heard.controlDurations.push(...controlDurations);
      heard.failures.push(...failures);
    }
    return heard;
  };
  const measureQuiet = async (): Promise<HonestReport> => {
    await delay(AFTERMATH_MS);
    const heard = await listen(QUIET_SECONDS, () => delay(QUIET_STEP_MS));
    if (heard.failures.length > 0) throw new Error(`without an attack: ${heard.failures.join('; ')}`);
    return heard;
  };
  /** Measured while the machine did nothing else. */
  let quietBefore: HonestReport | undefined;
  /** Of all measurements before attacks: what one holds must not count as what was there before the next one. */
  let leastLive = Number.POSITIVE_INFINITY;

  const measureHarm: AttackedGateway['measure'] = async (attack, { seconds, quietAgain = false }) => {
    const quiet = (quietAgain ? undefined : quietBefore) ?? (await measureQuiet());
    if (!quietAgain && isQuiet(quiet)) quietBefore = quiet;
    const before = await inspector.readMemory();
    leastLive = Math.min(leastLive, before.live);
    const faultsBefore = await countFaults();
    const during = await listen(seconds, attack);
    const after = await readSettled(leastLive + MAX_GROWTH_BYTES);
    // It may also fail when the attack is over.
    during.failures.push(...(await caller.take()).failures);
    return {
      quietP99: percentile99(quiet.durations),
      p99: percentile99(during.durations),
      controlQuietP99: percentile99(quiet.controlDurations),
      controlP99: percentile99(during.controlDurations),
      honestCalls: during.durations.length,
      honestFailures: during.failures,
      liveGrowth: after.live - leastLive,
      residentGrowth: after.resident - before.resident,
      faults: (await countFaults()) - faultsBefore,
    };
  };

  return {
    port,
    adminToken,
    tokens: { member: member.token, honest: honest.token },
    memberId: member.id,
    graphql: (query, { variables, token = member.token } = {}) => post(query, token, variables),
    asAdmin,
    createUser,
    readMemory: inspector.readMemory,
    countFaults,
    output: command.output,
    measure(attack, options) {
      const ended = command.exit.then((code) =>
        Promise.reject(new Error(`it ended with ${code}:\n${command.output()}`)),
      );
      return Promise.race([measureHarm(attack, options), ended]);
    },
    close,
  };
}

/**
 * Repeats an attack for some seconds and checks that the honest caller beside it hardly notices, that the gateway's
 * memory is what it was, and that nothing answers 500. If the honest caller waits too long, all is measured once more,
 * since a machine may be busy for a moment: an attack that delays others does so again.
 *
 * @param options.reset makes an attack that comes to an end start anew
 */
export async function expectHarmless(
  gateway: AttackedGateway,
  attack: () => Promise<unknown>,
  { seconds = 4, reset }: { seconds?: number; reset?: () => unknown } = {},
): Promise<void> {
  const measure = async (quietAgain: boolean): Promise<Harm> => {
    const harm = await gateway.measure(attack, { seconds, quietAgain });
    console.log(`${expect.getState().currentTestName}: ${describe(harm)}`);
    expect(harm.honestFailures).toEqual([]);
    expect(harm.faults, 'answers with status 500').toBe(0);
    expect(harm.liveGrowth, `memory is held: ${describe(harm)}`).toBeLessThan(MAX_GROWTH_BYTES);
    return harm;
  };
  let harm = await measure(false);
  if (isDelayed(harm)) {
    await reset?.();
    harm = await measure(true);
  }
  expect(isDelayed(harm), `the honest caller waits: ${describe(harm)}`).toBe(false);
}

function describe(harm: Harm): string {
  const numbers = { ...harm, honestFailures: harm.honestFailures.length, slowness: findSlowness(harm) };
  return JSON.stringify(numbers, (_key, value) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value));
}
