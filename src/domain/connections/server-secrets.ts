import type { Keyring } from '../../crypto/keyring.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, notFound } from '../../errors.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { SECRET_FIELDS, type SecretField } from '../configs/config-input.ts';

/** Failures that are remembered; configs are few, and a forgotten one is met again with the next use. */
const MAX_REMEMBERED = 1_000;

/** The secrets that the gateway sends to servers, and what it knows of those that do not open. */
export type ServerSecrets = ReturnType<typeof createServerSecrets>;

/** Makes the one place where stored secrets are opened. */
export function createServerSecrets({ store, keyring }: { store: Store; keyring: Keyring }) {
  /** The version at which a secret of the config did not open, by config and field. */
  const failedAt = new Map<string, number>();

  return {
    /**
     * Opens one secret of a config: the one that a call to the server needs, so that another which does not open is in
     * nobody's way.
     *
     * @returns null when none is stored
     * @throws NOT_FOUND; DECRYPTION_FAILED, which the config's `viewerState` shows from then on
     */
    async open(configId: string, field: SecretField): Promise<Secret | null> {
      const secrets = await store.configs.findSecrets(SYSTEM, { id: configId });
      if (secrets === null) throw notFound('MCP server config');
      const entry = `${configId} ${field}`;
      try {
        const secret = secrets[field]?.open() ?? null;
        failedAt.delete(entry);
        return secret;
      } catch (error) {
        if (error instanceof DomainError && error.code === 'DECRYPTION_FAILED')
          remember(failedAt, entry, secrets.version);
        throw error;
      }
    },

    /** Whether a secret of the config is known not to open: its key is not here, or it was tried at this version. */
    isUnavailable({ id, version, secretKeyDigests }: McpServerConfigRecord): boolean {
      if (secretKeyDigests.some((digest) => keyring.find(digest) === undefined)) return true;
      return SECRET_FIELDS.some((field) => failedAt.get(`${id} ${field}`) === version);
    },
  };
}

function remember(failedAt: Map<string, number>, entry: string, version: number): void {
  failedAt.delete(entry);
  failedAt.set(entry, version);
  const [oldest] = failedAt.keys();
  if (failedAt.size > MAX_REMEMBERED && oldest !== undefined) failedAt.delete(oldest);
}
