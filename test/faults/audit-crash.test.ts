import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { findFreePort } from '../setup/free-port.ts';
import { createOwnDatabase } from '../setup/own-database.ts';
import { makeFolder, startCommand } from '../setup/process.ts';
import { waitUntil } from '../setup/wait-until.ts';

const serverUrl = inject('ownServerUrl');

test.runIf(serverUrl !== undefined)(
  'a gateway killed between a change and its entry leaves neither',
  async () => {
    const own = await createOwnDatabase(serverUrl ?? '');
    const { folder, remove } = await makeFolder();
    const token = randomBytes(24).toString('base64url');
    const port = String(await findFreePort());
    const env = {
      PORT: port,
      DATABASE_URL: own.url,
      GATEHOUSE_ADMIN_TOKEN: token,
      GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    };
    const gateways = [startCommand(['serve'], { cwd: folder, env })];
    const holder = new pg.Client({ connectionString: own.url });
    const watcher = new pg.Client({ connectionString: own.url });
    const ask = async (query: string) => {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      return ((await response.json()) as { data: any }).data;
    };
    try {
      await gateways[0]?.waitFor('Gatehouse listens on');
      await holder.connect();
      await watcher.connect();
      const config = 'displayName: "A", url: "https://a.example.com/"';
      const { createMcpServerConfig } = await ask(
        `mutation { createMcpServerConfig(input: { ${config}, slug: "before" }) { id } }`,
      );
      const pidOf = async (client: pg.Client) => (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
      const rowsOf = async () => {
        const rows = [];
        for (const table of ['mcp_server_configs', 'users', 'chats', 'audit_entries', 'audit_chain']) {
          rows.push((await watcher.query(`SELECT t::text AS row FROM ${table} t ORDER BY 1`)).rows);
        }
        return rows;
      };
      const before = await rowsOf();

      // Writers of an entry block here, with their change made but not committed.
      await holder.query('BEGIN');
      await holder.query('SELECT 1 FROM audit_chain FOR UPDATE');
      const { id } = createMcpServerConfig;
      const changes = [
        `createMcpServerConfig(input: { ${config}, slug: "killed" }) { id }`,
        `updateMcpServerConfig(id: "${id}", patch: { description: "killed" }) { id }`,
        'createUser(input: { email: "killed@example.com" }) { id }',
        'createChat(input: {}) { id }',
      ];
      const answers = Promise.allSettled(changes.map((change) => ask(`mutation { ${change} }`)));
      // Changes to one table may wait for each other, and the listing of a server's tools for both; at least one waits
      // for the chain itself.
      const waiting = `SELECT count(*)::int AS count, bool_or(query LIKE '%audit_chain%') AS for_chain
        FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      const areWaiting = async () => {
        const [row] = (await watcher.query(waiting)).rows;
        return row.count >= changes.length && row.for_chain;
      };
      await waitUntil('all wait for the chain', areWaiting, 20_000);
      gateways[0]?.child.kill('SIGKILL');
      await gateways[0]?.exit;
      for (const { status } of await answers) expect(status).toBe('rejected');
      await holder.query('COMMIT');
      // The server needs a moment to notice that the client is gone.
      const others = `SELECT count(*)::int AS count FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid NOT IN ($1, $2)`;
      const pids = await Promise.all([pidOf(holder), pidOf(watcher)]);
      const areGone = async () => (await watcher.query(others, pids)).rows[0].count === 0;
      await waitUntil('the connections of the killed are gone', areGone, 20_000);
      expect(await rowsOf()).toEqual(before);

      // It works as before: the same changes succeed now, each with its entry.
      const next = startCommand(['serve'], { cwd: folder, env });
      gateways.push(next);
      await next.waitFor('Gatehouse listens on');
      for (const change of changes) await ask(`mutation { ${change} }`);
      const { auditLog, verifyAuditLog } = await ask(
        '{ auditLog(first: 4) { nodes { action } } verifyAuditLog { brokenAt checked } }',
      );
      expect(auditLog.nodes.map(({ action }: { action: string }) => action)).toEqual([
        'CHAT_CREATE',
        'USER_CREATE',
        'MCP_SERVER_CONFIG_UPDATE',
        'MCP_SERVER_CONFIG_CREATE',
      ]);
      expect(verifyAuditLog.brokenAt).toBeNull();
    } finally {
      for (const { child, exit } of gateways) {
        child.kill('SIGKILL');
        await exit;
      }
      await holder.end();
      await watcher.end();
      await own.drop();
      await remove();
    }
  },
  120_000,
);
