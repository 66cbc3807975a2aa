import type { TokenScope } from '../../policy/viewer.ts';
import { Prisma } from '../generated/client.ts';
import type { ApiTokenRecord } from '../records.ts';

/** How a list of API tokens may be sorted. Tokens with the same value are sorted by id, in the same direction. */
export const API_TOKEN_ORDERS = [
  'created_asc',
  'created_desc',
  'name_asc',
  'name_desc',
  'used_asc',
  'used_desc',
] as const;
/** An order of API tokens. */
export type ApiTokenOrder = (typeof API_TOKEN_ORDERS)[number];

/** Whether a token can be used. A token that was revoked is never `expired`. */
export const API_TOKEN_STATES = ['active', 'expired', 'revoked'] as const;
/** A state of an API token. */
export type ApiTokenState = (typeof API_TOKEN_STATES)[number];

/** Which tokens to list. All given conditions must hold. */
export interface ApiTokenFilter {
  userId?: string | undefined;
  /** A part of the name, ignoring case. */
  search?: string | undefined;
  scope?: TokenScope | undefined;
  state?: ApiTokenState | undefined;
}

/** A position in a list: after the token with this id, and this value of what the list is sorted by. */
export interface ApiTokenPlace {
  key: string;
  id: string;
}

const NEVER = '-infinity';

/** The place after a token, in this order. */
export function toTokenPlace(token: ApiTokenRecord, order: ApiTokenOrder): ApiTokenPlace {
  return { key: ORDERS[order].keyOf(token), id: token.id };
}

/** The conditions of a filter. @param now decides what has expired */
export function toTokenConditions({ userId, search, scope, state }: ApiTokenFilter, now: Date): Prisma.Sql {
  return Prisma.join(
    [
      Prisma.sql`TRUE`,
      ...(userId === undefined ? [] : [Prisma.sql`user_id = ${userId}::uuid`]),
      ...(search === undefined ? [] : [Prisma.sql`position(lower(${search}::text) IN lower(name)) > 0`]),
      ...(scope === undefined ? [] : [Prisma.sql`scopes @> ARRAY[${scope}::text]`]),
      ...(state === undefined ? [] : [toStateCondition(state, now)]),
    ],
    ' AND ',
  );
}

function toStateCondition(state: ApiTokenState, now: Date): Prisma.Sql {
  if (state === 'revoked') return Prisma.sql`revoked_at IS NOT NULL`;
  if (state === 'expired') return Prisma.sql`revoked_at IS NULL AND expires_at <= ${now}::timestamptz`;
  return Prisma.sql`revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${now}::timestamptz)`;
}

/** The parts of a page's statement that depend on its order. */
export function toTokenOrder(order: ApiTokenOrder, after: ApiTokenPlace | undefined) {
  const { key, parameter, isDescending } = ORDERS[order];
  const direction = isDescending ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  const beyond = isDescending ? Prisma.sql`<` : Prisma.sql`>`;
  return {
    isAfter:
      after === undefined
        ? Prisma.sql`TRUE`
        : Prisma.sql`(${key}, id) ${beyond} (${parameter(after.key)}, ${after.id}::uuid)`,
    // With the table's name: without it, this would be the text that is selected, which has no index.
    by: Prisma.sql`${key} ${direction}, api_tokens.id ${direction}`,
  };
}

const toTime = (key: string) => Prisma.sql`${key}::timestamptz`;
const CREATED = {
  key: Prisma.sql`created_at`,
  parameter: toTime,
  keyOf: ({ createdAt }: ApiTokenRecord) => createdAt.toISOString(),
};
/** Names are compared by code point, so that the order does not depend on the database's collation. */
const NAME = {
  key: Prisma.sql`lower(name) COLLATE "C"`,
  parameter: (key: string) => Prisma.sql`lower(${key}::text)`,
  keyOf: ({ name }: ApiTokenRecord) => name,
};
const USED = {
  key: Prisma.sql`coalesce(last_used_at, '-infinity'::timestamptz)`,
  parameter: toTime,
  keyOf: ({ lastUsedAt }: ApiTokenRecord) => lastUsedAt?.toISOString() ?? NEVER,
};

const ORDERS = {
  created_asc: { ...CREATED, isDescending: false },
  created_desc: { ...CREATED, isDescending: true },
  name_asc: { ...NAME, isDescending: false },
  name_desc: { ...NAME, isDescending: true },
  used_asc: { ...USED, isDescending: false },
  used_desc: { ...USED, isDescending: true },
} as const satisfies Record<ApiTokenOrder, object>;
