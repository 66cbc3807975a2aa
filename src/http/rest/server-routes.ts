import { Hono } from 'hono';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { CatalogueService } from '../../domain/catalogue/catalogue-service.ts';
import { CatalogueTool } from '../../domain/catalogue/catalogue-tool.ts';
import type { ConfigLists } from '../../domain/configs/config-lists.ts';
import type { ConfigService } from '../../domain/configs/config-service.ts';
import type { ConnectionService } from '../../domain/connections/connection-service.ts';
import type { Experiment } from '../../domain/experiments.ts';
import type { AnswerStamp } from '../../domain/feed/answer-stamp.ts';
import type { OAuthUrls } from '../../domain/oauth/redirect-urls.ts';
import type { ServerTests } from '../../domain/upstreams/server-test.ts';
import { notFound } from '../../errors.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { HttpEnv } from '../context.ts';
import { registerOperations } from './register-operations.ts';
import { toRestFieldNames } from './server-errors.ts';
import { toConfigInput, toMcpServer } from './server-mapping.ts';
import { SERVER_GROUP } from './server-operations.ts';
import type { McpServer, McpServerBody } from './server-schemas.ts';
import { assertFits, toServerTool } from './server-tool-mapping.ts';

/** The dependencies of the server routes. */
export interface ServerRoutesOptions {
  configs: ConfigService;
  configLists: ConfigLists;
  connections: ConnectionService;
  serverTests: ServerTests;
  catalogue: Pick<CatalogueService, 'listTools' | 'findLookAlikes'>;
  oauthUrls: Pick<OAuthUrls, 'redirectUri'>;
  experiments: ReadonlySet<Experiment>;
  answerStamp: AnswerStamp;
}

/** REST has no pagination: lists are read from the database in batches of this size and returned as a whole. */
const BATCH_SIZE = 500;

/**
 * Creates the REST routes of MCP servers. Their paths are absolute: mount them at `/`. They throw errors, which the app
 * converts with `toProblemResponse`.
 */
export function createServerRoutes({
  configs,
  configLists,
  connections,
  serverTests,
  catalogue,
  oauthUrls,
  experiments,
  answerStamp,
}: ServerRoutesOptions): Hono<HttpEnv> {
  const router = new Hono<HttpEnv>();
  const toServer = async (viewer: Viewer, config: McpServerConfigRecord): Promise<McpServer> => {
    const connected = await listOwn(viewer, [config]);
    return toServerOf(viewer, config, connected);
  };
  const toServerOf = (viewer: Viewer, config: McpServerConfigRecord, connected: Awaited<ReturnType<typeof listOwn>>) =>
    toMcpServer(viewer, config, {
      isConnected: connections.isConnected(config, connected.get(config.id)),
      urls: oauthUrls,
    });
  const listOwn = (viewer: Viewer, of: readonly McpServerConfigRecord[]) =>
    connections.listOwn(
      viewer,
      of.filter((config) => config.authType === 'oauth2').map((config) => config.id),
    );

  const findServer = async (viewer: Viewer, id: string): Promise<McpServerConfigRecord> => {
    const config = await configs.find(viewer, { id });
    if (config === null) throw notFound('MCP server config');
    return config;
  };

  registerOperations(
    router,
    SERVER_GROUP,
    {
      async listMcpServers({ viewer }) {
        const all = await listAll(configLists, viewer);
        const connected = await listOwn(viewer, all);
        return all.map((config) => toServerOf(viewer, config, connected));
      },

      async getMcpServer({ viewer, id }) {
        return toServer(viewer, await findServer(viewer, id));
      },

      async createMcpServer({ viewer, body }) {
        const config = await withRestFieldNames(body, () => configs.create(viewer, toConfigInput(body)));
        return toServer(viewer, config);
      },

      async updateMcpServer({ viewer, id, body }) {
        const patch = toConfigInput(body);
        const config = await withRestFieldNames(body, () => configs.update(viewer, { id, patch }));
        return toServer(viewer, config);
      },

      async deleteMcpServer({ viewer, id }) {
        await configs.delete(viewer, id);
        return undefined;
      },

      async testMcpServer({ viewer, id }) {
        const { isOk, steps } = await serverTests.test(viewer, { id });
        return { is_ok: isOk, steps };
      },

      async listMcpServerTools({ viewer, id }) {
        const config = await findServer(viewer, id);
        const decided = (await catalogue.listTools(viewer, [config])).get(config.id) ?? [];
        const tools = decided.map((each) => new CatalogueTool(config, each));
        assertFits(tools);
        const areAlike = await catalogue.findLookAlikes(viewer, tools);
        return tools.map((tool, index) => toServerTool(viewer, tool, areAlike[index] === true));
      },

      async disconnectMcpServer({ viewer, id }) {
        const { tokenRevoked, revocationError } = await connections.disconnect(viewer, id);
        return { token_revoked: tokenRevoked, token_revocation_error: revocationError ?? '' };
      },
    },
    { experiments, answerStamp },
  );
  return router;
}

async function listAll(configLists: ConfigLists, viewer: Viewer): Promise<McpServerConfigRecord[]> {
  const all: McpServerConfigRecord[] = [];
  for (;;) {
    const last = all.at(-1);
    const page = await configLists.list(viewer, {
      first: BATCH_SIZE,
      ...(last !== undefined && { after: { displayName: last.displayName, id: last.id } }),
    });
    all.push(...page.rows);
    if (!page.hasMore) return all;
  }
}

async function withRestFieldNames<Result>(body: McpServerBody, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    throw toRestFieldNames(error, body);
  }
}
