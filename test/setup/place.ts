import { cpSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, onTestFinished } from 'vitest';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { onServer } from './database.ts';
import { findFreePort } from './free-port.ts';
import { makeFolder, type RunningCommand, startCommand, startProcess } from './process.ts';
import { createServerDatabase } from './server-databases.ts';

/** A folder in which a test runs `gatehouse` as a user does. */
export interface Place {
  cwd: string;
  /** The settings of its commands. */
  env: Record<string, string>;
  port: number;
  /** Where the gateway keeps its files, if the settings do not say otherwise. */
  dataDir: string;
  /** The token of the bootstrap admin, which the gateway generates at its first start. */
  readAdminToken(): Promise<string>;
  /** The same place with some settings changed. */
  with(env: Record<string, string>): Place;
  /** Starts `gatehouse …`. */
  start(...args: string[]): RunningCommand;
  /** Runs `gatehouse …` to its end. */
  run(...args: string[]): Promise<{ code: number | null; output: string }>;
  /** Starts another program, with the same settings. */
  startProcess(command: string, ...args: string[]): RunningCommand;
  /** Starts the gateway. Resolves when it listens. */
  serve(): Promise<RunningCommand>;
  /** Sends an operation to the gateway as the bootstrap admin, and returns its data. */
  ask(query: string, options?: { variables?: unknown; headers?: Record<string, string> }): Promise<any>;
}

/**
 * Makes a folder for the calling test, with a port. What runs there ends with the test, also when
 * the test fails or takes too long.
 *
 * @param options.atEnd where to leave what ends all that runs there, if not with the calling test
 *
 * @param options.anyDatabase whether the test shows nothing about the database: then it is one on the server, if there is one,
 * which takes a third of the processor time
 *
 * @param options.isNew whether the first command has to create the embedded database, which takes seconds
 */
export async function makePlace(
  options: {
    env?: Record<string, string>;
    isNew?: boolean;
    anyDatabase?: boolean;
    atEnd?: (end: () => Promise<void>) => void;
  } = {},
): Promise<Place> {
  const { folder: cwd, remove } = await makeFolder();
  const running: RunningCommand[] = [];
  const atEnd = options.atEnd ?? onTestFinished;
  atEnd(async () => {
    await Promise.all(running.map((command) => command.kill()));
    await remove();
  });
  const dataDir = path.join(cwd, '.gatehouse');
  const server = options.anyDatabase === true && onServer ? await settingsOfServer() : undefined;
  if (options.isNew !== true && server === undefined) {
    await mkdir(dataDir, { mode: 0o700 });
    // Of hundreds of files: the asynchronous one takes three times the processor time.
    cpSync(inject('embeddedFolder'), path.join(dataDir, 'database'), { recursive: true });
  }
  const port = await findFreePort();
  const readAdminToken = async () => (await readFile(path.join(dataDir, 'admin-token'), 'utf8')).trim();
  const place = (env: Record<string, string>): Place => {
    const add = (command: RunningCommand): RunningCommand => {
      running.push(command);
      return command;
    };
    const start: Place['start'] = (...args) => add(startCommand(args, { cwd, env }));
    return {
      cwd,
      env,
      port,
      dataDir,
      readAdminToken,
      with: (changed) => place({ ...env, ...changed }),
      start,
      async run(...args) {
        const command = start(...args);
        return { code: await command.exit, output: command.output() };
      },
      startProcess: (command, ...args) => add(startProcess(command, args, { cwd, env })),
      async serve() {
        const gateway = start('serve');
        await gateway.waitFor('Gatehouse listens on');
        return gateway;
      },
      async ask(query, { variables, headers } = {}) {
        const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${await readAdminToken()}`,
            'content-type': 'application/json',
            ...headers,
          },
          body: JSON.stringify({ query, variables }),
        });
        const { data, errors } = (await response.json()) as { data: any; errors?: unknown };
        expect(errors).toBeUndefined();
        return data;
      },
    };
  };
  return place({ PORT: String(port), ...server, ...options.env });
}

async function settingsOfServer(): Promise<Record<string, string>> {
  return {
    DATABASE_URL: await createServerDatabase(),
    GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    // No load balancer has to notice that it stops.
    GATEHOUSE_SHUTDOWN_DELAY_SECONDS: '0',
  };
}

/** Tells a gateway to stop, and expects that it ends well. */
export async function stop(gateway: RunningCommand): Promise<void> {
  gateway.child.kill('SIGTERM');
  expect(await gateway.exit, gateway.output()).toBe(0);
}
