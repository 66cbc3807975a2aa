import { expect } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import {
  type DiscoverProviderOptions,
  discoverProvider,
} from '../../../src/domain/oauth/discovery/discover-provider.ts';
import type { DiscoveryReport } from '../../../src/domain/oauth/discovery/discovery-report.ts';
import { createPrivateHosts } from '../../../src/outbound/private-hosts.ts';
import { createSafeFetch } from '../../../src/outbound/safe-fetch.ts';
import { type HandmadeServer, startHandmadeServer } from '../../setup/handmade-server.ts';

/** Placed wherever a server may put arbitrary text: no report may contain it. */
export const CANARY = 'canary-text-of-the-answer';

export const RESOURCE_PATH = '/.well-known/oauth-protected-resource';
export const OAUTH_PATH = '/.well-known/oauth-authorization-server';
export const OPENID_PATH = '/.well-known/openid-configuration';

/** An MCP server at `/mcp` and an authorization server at another origin, both honest until a test changes them. */
export interface DiscoveryBench {
  mcp: HandmadeServer;
  issuer: HandmadeServer;
  /** The MCP server's URL. */
  serverUrl: string;
  /**
   * Runs discovery and checks the invariants of every report. @param opened allowed by the operator; all loopback by
   * default
   */
  discover(
    options?: Partial<DiscoverProviderOptions> & { opened?: string; timeoutMs?: number },
  ): Promise<DiscoveryReport>;
  /** Answers 401 at `/mcp` with these header lines. */
  challenge(...lines: string[]): void;
  /** Honest protected resource metadata with changes, at its well-known location or another. */
  serveResource(change?: Record<string, unknown>, path?: string): void;
  /** Honest authorization server metadata with changes, at its well-known location or another. */
  serveIssuer(change?: Record<string, unknown>, path?: string): void;
  close(): Promise<void>;
}

export async function openDiscoveryBench(): Promise<DiscoveryBench> {
  const mcp = await startHandmadeServer();
  const issuer = await startHandmadeServer();
  const serverUrl = `${mcp.url}/mcp`;

  const bench: DiscoveryBench = {
    mcp,
    issuer,
    serverUrl,
    async discover({ opened = '127.0.0.0/8', timeoutMs, ...options } = {}) {
      const ranges = readConfig({ GATEHOUSE_ALLOWED_PRIVATE_CIDRS: opened }).allowedPrivateRanges;
      const { fetch, close } = createSafeFetch({ ranges, ...(timeoutMs !== undefined && { timeoutMs }) });
      try {
        const report = await discoverProvider({
          fetch,
          serverUrl,
          transport: 'streamable_http',
          isAllowedPrivateHost: createPrivateHosts(ranges).isAllowed,
          ...options,
        });
        expectSound(report);
        return report;
      } finally {
        await close();
      }
    },
    challenge(...lines) {
      mcp.on('/mcp', (_request, response) => response.writeHead(401, { 'www-authenticate': lines }).end(CANARY));
    },
    serveResource(change = {}, path = `${RESOURCE_PATH}/mcp`) {
      mcp.onJson(path, {
        resource: serverUrl,
        authorization_servers: [issuer.url],
        resource_name: CANARY,
        ...change,
      });
    },
    serveIssuer(change = {}, path = OAUTH_PATH) {
      issuer.onJson(path, {
        issuer: issuer.url,
        authorization_endpoint: `${issuer.url}/authorize`,
        token_endpoint: `${issuer.url}/token`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        service_documentation: `https://${CANARY}.example/`,
        [CANARY]: CANARY,
        ...change,
      });
    },
    async close() {
      await mcp.close();
      await issuer.close();
    },
  };
  bench.challenge(`Bearer realm="${CANARY}", error_description="${CANARY}"`);
  bench.serveResource();
  bench.serveIssuer();
  return bench;
}

/** Step and outcome of each step. */
export function outcomes(report: DiscoveryReport): string[] {
  return report.steps.map(({ name, outcome }) => `${name} ${outcome}`);
}

/** Requested paths of each step. */
export function paths(report: DiscoveryReport): string[] {
  return report.steps.map(({ url }) => url.replace(/^[a-z]+:\/\/[^/]+/, ''));
}

function expectSound(report: DiscoveryReport): void {
  expect(report.provider === null).toBe(report.problems.length > 0);
  const told = [...report.problems, ...report.steps.map(({ message }) => message)];
  for (const text of told) expect(text).toMatch(/^[\x20-\x7e]{10,600}$/);
  expect(JSON.stringify(report)).not.toContain(CANARY);
  for (const { url } of report.steps) expect(url).toMatch(/^[\x21-\x7e]{1,2150}$/);
}
