import type { Caches } from '../../cache/caches.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { UserTokenRecord } from '../../data/repositories/user-token-repository.ts';
import type { SealedValue } from '../../data/sealing/sealed-value.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, notFound, versionMismatch } from '../../errors.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { SECRET_FIELDS, type SecretField } from '../configs/config-input.ts';
import { createUnopenedSecrets } from './unopened-secrets.ts';

/** The secrets that the gateway sends to servers, and which of them are known not to open. */
export type ServerSecrets = ReturnType<typeof createServerSecrets>;

/** Creates the only place where stored secrets are opened. */
export function createServerSecrets({ store, keyring, caches }: { store: Store; keyring: Keyring; caches: Caches }) {
  const unopened = createUnopenedSecrets(caches);

  const openAndRemember = (
    value: SealedValue | null,
    urls: readonly string[],
    { entry, version }: { entry: string; version: number },
  ): Secret | null => {
    try {
      const secret = value?.openFor(...urls) ?? null;
      unopened.remove(entry);
      return secret;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'DECRYPTION_FAILED') unopened.add(entry, version);
      throw error;
    }
  };

  return {
    /**
     * Opens one secret of a config, for the URLs that it is about to be sent to. Only the secret that a call needs is opened, so that another one that does not open
     * has no effect.
     *
     * @returns null when none is stored
     * @throws NOT_FOUND; DECRYPTION_FAILED, which from then on shows in the config's `viewerState`
     */
    async open(
      configId: string,
      field: SecretField,
      urls: readonly string[],
      version?: number,
    ): Promise<Secret | null> {
      const secrets = await store.configs.findSecrets(SYSTEM, { id: configId });
      if (secrets === null) throw notFound('MCP server config');
      if (version !== undefined && secrets.version !== version) throw versionMismatch(secrets.version);
      return openAndRemember(secrets[field], urls, { entry: `${configId} ${field}`, version: secrets.version });
    },

    /**
     * Opens one of a user's tokens, for the URLs that it is about to be sent to. Null when there is none. @throws
     * DECRYPTION_FAILED, as `open`
     */
    openToken(tokens: UserTokenRecord, field: 'accessToken' | 'refreshToken', urls: readonly string[]): Secret | null {
      return openAndRemember(tokens[field], urls, { entry: tokens.id, version: tokens.version });
    },

    /** Identifies the set of secrets known not to open. Equal stamps mean the same set. */
    stamp: (): string => [unopened.changes(), ...keyring.keys.map(({ digest }) => digest)].join(' '),

    /** Whether a secret of the config is known not to open: its key is missing, or opening failed at this version. */
    isUnavailable({ id, version, secretKeyDigests }: McpServerConfigRecord): boolean {
      if (secretKeyDigests.some((digest) => keyring.find(digest) === undefined)) return true;
      return SECRET_FIELDS.some((field) => unopened.has(`${id} ${field}`, version));
    },

    /** The same for a user's tokens. */
    isTokenUnavailable({ tokenId, version, secretKeyDigests }: ConnectedTokens): boolean {
      if (secretKeyDigests.some((digest) => keyring.find(digest) === undefined)) return true;
      return unopened.has(tokenId, version);
    },

    /** Whether the cached record of a user's tokens is not enough to tell if they open. */
    isTokenSuspect({ tokenId, secretKeyDigests }: ConnectedTokens): boolean {
      return unopened.hasAny(tokenId) || secretKeyDigests.some((digest) => keyring.find(digest) === undefined);
    },
  };
}

interface ConnectedTokens {
  tokenId: string;
  version: number;
  secretKeyDigests: readonly string[];
}
