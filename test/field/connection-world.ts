import { expect } from 'vitest';
import { openSession } from '../http/browser-session.ts';
import { SERVERS } from '../http/rest-client.ts';
import { type ConnectionAnswer, type HostileWorld, openHostileWorld } from '../setup/hostile-provider.ts';

/** A gateway and a provider that answers what a test says, with what users and admins do there. */
export interface FieldWorld extends HostileWorld {
  /** The `Cookie` header of the member's browser. */
  session: string;
  /** Connects the member to a server in a browser. @returns the page */
  finish(configId: string): Promise<ConnectionAnswer>;
  /** The same, and expects it to work. @param configId a new server with given settings by default */
  connect(configId?: string): Promise<string>;
  /** What the gateway would use for a call of the member's. */
  get(configId: string, rejectedVersion?: number): ReturnType<HostileWorld['gateway']['accessTokens']['get']>;
  /** What the member sees of a connection, in the graph and by REST. */
  readState(
    configId: string,
  ): Promise<{ viewerState: string; viewerStateReason: string | null; authConnected: boolean }>;
}

/** @param ports of other servers on loopback that the gateway may call */
export async function openFieldWorld(env?: Record<string, string>, ports: number[] = []): Promise<FieldWorld> {
  const world = await openHostileWorld(env, ports);
  const { gateway, provider, rest } = world;
  const session = await openSession(gateway, gateway.tokens.member);
  const field: FieldWorld = {
    ...world,
    session,
    async finish(configId) {
      const begun = await world.begin(configId, session);
      const answer = { ...begun.answer, iss: provider.issuer };
      return world.bring(begun, { cookies: [session, begun.cookie], answer });
    },
    async connect(given) {
      const configId = given ?? (await world.define());
      const page = await field.finish(configId);
      expect(page.status, page.text).toBe(200);
      return configId;
    },
    get: (configId, rejectedVersion) =>
      gateway.accessTokens.get({ userId: gateway.userIds.member, configId, rejectedVersion }),
    async readState(configId) {
      const query = `{ mcpServerConfig(id: "${configId}") { viewerState viewerStateReason authConnected } }`;
      const { data } = await gateway.graphql(query, { token: gateway.tokens.member });
      const { body } = await rest.call('member', 'GET', `${SERVERS}/${configId}`);
      expect(body.auth_connected).toBe(data.mcpServerConfig.authConnected);
      return data.mcpServerConfig;
    },
  };
  return field;
}

/** An answer of an endpoint as JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}) {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
