import { randomUUID } from 'node:crypto';
import type { GatehousePrisma } from '../../src/data/database/prisma.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { newMasterKey, tokenColumns } from '../data/encryption-setup.ts';
import type { TestGateway } from '../setup/gateway.ts';
import { SERVER_URL, sealText } from '../setup/sealed-text.ts';
import { withPrisma } from './encryption-key-rows.ts';

/** Everything that decides about a server in a chat, except the chat's own selection. */
export interface Case {
  availability: 'force_on' | 'default_on' | 'default_off';
  enabled: boolean;
  authType: 'none' | 'api_key' | 'custom_headers' | 'oauth2';
  /** Connection state per owner; `lost`: the token's key is missing. */
  connection: 'none' | 'connected' | 'ended' | 'lost';
  allow: string[];
  deny: string[];
}

/** A case as it is in the database. */
export interface PlacedCase extends Case {
  id: string;
  slug: string;
}

const TOOL_LISTS = [
  { allow: [], deny: [] },
  { allow: ['read'], deny: [] },
  { allow: ['other'], deny: [] },
  { allow: ['read'], deny: ['read'] },
  { allow: [], deny: ['other'] },
];

/** All cases. Includes a token of a server that needs none: it must not matter. */
export const CASES: readonly Case[] = (['force_on', 'default_on', 'default_off'] as const).flatMap((availability) =>
  [true, false].flatMap((enabled) =>
    (['none', 'api_key', 'custom_headers', 'oauth2'] as const).flatMap((authType) =>
      (['none', 'connected', 'ended', 'lost'] as const).flatMap((connection) =>
        TOOL_LISTS.map((lists) => ({ availability, enabled, authType, connection, ...lists })),
      ),
    ),
  ),
);

/** The expected state for an owner, written independently of the gateway's code. */
export function expectedState({ authType, connection }: Case): 'READY' | 'NEEDS_CONNECT' | 'RECONNECT' | 'UNAVAILABLE' {
  if (authType !== 'oauth2' || connection === 'connected') return 'READY';
  if (connection === 'none') return 'NEEDS_CONNECT';
  return connection === 'ended' ? 'RECONNECT' : 'UNAVAILABLE';
}

/** The expected source in a chat, written the same way; undefined if the server is not in it. */
export function expectedSource(each: Case, isSelected: boolean): 'FORCED' | 'SELECTED' | undefined {
  if (!each.enabled) return undefined;
  if (each.availability === 'force_on') return 'FORCED';
  return isSelected ? 'SELECTED' : undefined;
}

/**
 * Writes every case into the database for these owners. Bypasses the services: stored data may be older than a rule.
 */
export async function placeCases(
  gateway: TestGateway,
  ownerIds: readonly string[],
  cases = CASES,
  url = SERVER_URL,
): Promise<PlacedCase[]> {
  const placed = cases.map((each, index) => {
    const number = String(index).padStart(4, '0');
    return { ...each, id: randomUUID(), slug: `case-${number}` };
  });
  await withPrisma(gateway, async (prisma) => {
    await prisma.mcpServerConfig.createMany({
      data: placed.map(({ id, slug, availability, enabled, authType, allow, deny }) => ({
        ...{ id, slug, displayName: slug, url, availability, enabled, authType },
        ...{ toolAllowList: allow, toolDenyList: deny },
      })),
    });
    const rowsOf = (connection: Case['connection']) =>
      placed
        .filter((each) => each.connection === connection)
        .flatMap(({ id }) => ownerIds.map((userId) => ({ mcpServerConfigId: id, userId })));
    await prisma.mcpServerEndedConnection.createMany({
      data: rowsOf('ended').map((row) => ({ ...row, reason: 'It was ended.' })),
    });
    const connect = async (connection: Case['connection']) => {
      const data = rowsOf(connection).map((row) => ({
        ...row,
        ...tokenColumns('access', 'refresh'),
        accessToken: sealText('access', url),
      }));
      await prisma.mcpServerUserToken.createMany({ data });
    };
    await connect('connected');
    await withLostKey(gateway, prisma, () => connect('lost'));
  });
  return placed;
}

/** Writes a chat into the database. @returns its id */
export async function placeChat(gateway: TestGateway, ownerId: string, mcpServerIds: readonly string[]) {
  const id = randomUUID();
  await withPrisma(gateway, (prisma) => prisma.chat.create({ data: { id, ownerId, mcpServerIds: [...mcpServerIds] } }));
  return id;
}

/** Makes the encrypted values undecryptable. */
async function withLostKey({ keyring }: TestGateway, prisma: GatehousePrisma, work: () => Promise<void>) {
  const [lost, active] = [newMasterKey(), keyring.active];
  keyring.add(lost);
  await registerKeys(prisma, keyring);
  keyring.promote(lost.digest);
  await work();
  keyring.promote(active.digest);
  keyring.remove(lost.digest);
}
