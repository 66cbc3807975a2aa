/** A column with a URL, by its names in Prisma and in the database. */
interface UrlColumn {
  readonly field: string;
  readonly column: string;
}

/** The columns with the URLs that a secret may be sent to: in its own row, or in the row of its config. */
interface Destinations {
  readonly in: 'row' | 'config';
  readonly urls: readonly UrlColumn[];
}

/** One encrypted column. */
interface SealedColumnShape {
  /** The name in Prisma and in the database. */
  readonly field: string;
  readonly column: string;
  /** The digest of the sealing key: a foreign key to `encryption_keys(active_digest)`. */
  readonly keyField: string;
  readonly keyColumn: string;
  readonly nullable: boolean;
  readonly destinations: Destinations;
}

/** A table with encrypted columns. */
interface SealedModelShape {
  readonly model: string;
  readonly table: string;
  /** The primary key. The extension generates a missing `uuid`; a `text` id must be given. */
  readonly id: { readonly field: string; readonly column: string; readonly type: 'uuid' | 'text' };
  /** The user who owns a row: the foreign key (a UUID) and its Prisma relation. */
  readonly owner?: { readonly field: string; readonly column: string; readonly relation: string };
  /** The Prisma relations whose foreign key is in this table, except those to the keys. */
  readonly parents: readonly string[];
  readonly columns: readonly SealedColumnShape[];
}

const SERVER_URL = { field: 'url', column: 'url' } as const;
const TOKEN_URL = { field: 'oauth2TokenUrl', column: 'oauth2_token_url' } as const;
const REVOCATION_URL = { field: 'oauth2RevocationUrl', column: 'oauth2_revocation_url' } as const;

/**
 * Where each secret may be sent. A secret that belongs to a connection is bound to all three URLs, even if it is not sent to
 * each: a changed server would otherwise get a new access token from a refresh token that is only sent to the token URL.
 *
 * Only the canaries of the keys (`encryption_keys.canary`) are bound to nothing: they are no secrets, and go nowhere.
 */
const DESTINATIONS = {
  server: { in: 'row', urls: [SERVER_URL] },
  client: { in: 'row', urls: [SERVER_URL, TOKEN_URL, REVOCATION_URL] },
  connection: { in: 'config', urls: [SERVER_URL, TOKEN_URL, REVOCATION_URL] },
  // The URL that the flow began with, not the present one of the config.
  flow: { in: 'row', urls: [{ field: 'tokenUrl', column: 'token_url' }] },
} as const satisfies Record<string, Destinations>;

/**
 * The single declaration of what is encrypted at rest. The sealing extension, the key registry, rotation, verification
 * and the tests all use it. A test fails when the database's foreign keys or Prisma's schema name other columns. (The
 * original forgot two tables in its list: coder/coder#25381.)
 */
export const SEALED_MODELS = [
  {
    model: 'McpServerConfig',
    table: 'mcp_server_configs',
    id: { field: 'id', column: 'id', type: 'uuid' },
    parents: ['createdBy', 'updatedBy'],
    columns: [
      {
        field: 'oauth2ClientSecret',
        column: 'oauth2_client_secret',
        keyField: 'oauth2ClientSecretKeyId',
        keyColumn: 'oauth2_client_secret_key_id',
        nullable: true,
        destinations: DESTINATIONS.client,
      },
      {
        field: 'apiKeyValue',
        column: 'api_key_value',
        keyField: 'apiKeyValueKeyId',
        keyColumn: 'api_key_value_key_id',
        nullable: true,
        destinations: DESTINATIONS.server,
      },
      {
        field: 'customHeaders',
        column: 'custom_headers',
        keyField: 'customHeadersKeyId',
        keyColumn: 'custom_headers_key_id',
        nullable: true,
        destinations: DESTINATIONS.server,
      },
    ],
  },
  {
    model: 'McpServerUserToken',
    table: 'mcp_server_user_tokens',
    id: { field: 'id', column: 'id', type: 'uuid' },
    owner: { field: 'userId', column: 'user_id', relation: 'user' },
    parents: ['config', 'user'],
    columns: [
      {
        field: 'accessToken',
        column: 'access_token',
        keyField: 'accessTokenKeyId',
        keyColumn: 'access_token_key_id',
        nullable: false,
        destinations: DESTINATIONS.connection,
      },
      {
        field: 'refreshToken',
        column: 'refresh_token',
        keyField: 'refreshTokenKeyId',
        keyColumn: 'refresh_token_key_id',
        nullable: true,
        destinations: DESTINATIONS.connection,
      },
    ],
  },
  {
    model: 'McpServerFormerClient',
    table: 'mcp_server_former_clients',
    id: { field: 'id', column: 'id', type: 'uuid' },
    parents: ['config'],
    columns: [
      {
        field: 'clientSecret',
        column: 'client_secret',
        keyField: 'clientSecretKeyId',
        keyColumn: 'client_secret_key_id',
        nullable: true,
        destinations: DESTINATIONS.connection,
      },
    ],
  },
  {
    model: 'McpOAuthFlow',
    table: 'mcp_oauth_flows',
    id: { field: 'id', column: 'id', type: 'uuid' },
    owner: { field: 'userId', column: 'user_id', relation: 'user' },
    parents: ['config', 'user'],
    columns: [
      {
        field: 'codeVerifier',
        column: 'code_verifier',
        keyField: 'codeVerifierKeyId',
        keyColumn: 'code_verifier_key_id',
        nullable: false,
        destinations: DESTINATIONS.flow,
      },
    ],
  },
] as const satisfies readonly SealedModelShape[];

/** The exact type of the declaration. Prisma's result types are computed from it. */
export type SealedModels = typeof SEALED_MODELS;

/** One encrypted column of the declaration. */
export type SealedColumn = SealedColumnShape;

/** One table of the declaration, with its encrypted columns. */
export type SealedModel = SealedModelShape;

/** The Prisma model of the master keys. Writing through its relations would set a key by hand. */
export const KEY_MODEL = 'EncryptionKey';

const byModel = new Map<string, SealedModel>(SEALED_MODELS.map((model) => [model.model, model]));

/** The declaration for a Prisma model. Undefined if it has no encrypted columns. */
export function findSealedModel(model: string): SealedModel | undefined {
  return byModel.get(model);
}

/** Lists every encrypted column with its table. */
export function listSealedColumns(): { model: SealedModel; column: SealedColumn }[] {
  return SEALED_MODELS.flatMap((model: SealedModel) => model.columns.map((column) => ({ model, column })));
}
