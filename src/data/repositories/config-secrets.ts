import { DomainError } from '../../errors.ts';
import { sealFor, toOrigins } from '../sealing/seal-for.ts';
import { SEALED_MODELS } from '../sealing/sealed-columns.ts';
import type { SealedValue } from '../sealing/sealed-value.ts';

const [CONFIG_MODEL] = SEALED_MODELS;

/** A secret of a config. */
export type ConfigSecret = (typeof CONFIG_MODEL)['columns'][number]['field'];

/** The columns with the URLs that a secret of a config may be sent to. */
export type ConfigUrlField = (typeof CONFIG_MODEL)['columns'][number]['destinations']['urls'][number]['field'];

/** The URLs of a config that secrets may be sent to. */
export type ConfigUrls = Readonly<Record<ConfigUrlField, string>>;

/** Plain secrets to write. Null clears a secret, and an absent one stays. */
export type PlainSecrets = Readonly<Partial<Record<ConfigSecret, string | null>>>;

/** The names of the columns with the URLs that each secret of a config may be sent to. */
export const DESTINATIONS_OF_SECRET = Object.fromEntries(
  CONFIG_MODEL.columns.map(({ field, destinations }) => [field, destinations.urls.map((url) => url.field)]),
) as unknown as Readonly<Record<ConfigSecret, readonly ConfigUrlField[]>>;

const SECRETS = CONFIG_MODEL.columns.map(({ field }) => field);

/** What a change of secrets needs of the row before. */
export const BOUND_SELECT = {
  url: true,
  oauth2TokenUrl: true,
  oauth2RevocationUrl: true,
  oauth2ClientSecret: true,
  apiKeyValue: true,
  customHeaders: true,
} as const;

/** Everywhere that a connection's tokens and its client's secret may be sent. */
export function toConnectionUrls({ url, oauth2TokenUrl, oauth2RevocationUrl }: ConfigUrls): string[] {
  return [url, oauth2TokenUrl, oauth2RevocationUrl];
}

/** The URLs that a secret of a config may be sent to. */
export function toSecretUrls(secret: ConfigSecret, urls: ConfigUrls): string[] {
  return DESTINATIONS_OF_SECRET[secret].map((field) => urls[field]);
}

/** The secrets of a new config, sealed for its URLs. */
export function sealNewSecrets(secrets: PlainSecrets, urls: ConfigUrls): PlainSecrets {
  return Object.fromEntries(
    SECRETS.filter((secret) => secrets[secret] !== undefined).map((secret) => {
      const text = secrets[secret] ?? null;
      return [secret, text === null ? null : sealFor(text, toSecretUrls(secret, urls))];
    }),
  );
}

/**
 * The secrets of a changed config, sealed for its URLs. A secret that stays is sealed again when its origins change, so that
 * it opens for all of the new URLs and for none that the config no longer has.
 *
 * That counts on the rules: they refuse a new origin for a secret that stays. A secret that does not open stays as it is.
 * So does one that opens neither for the URLs before nor for those after: SQL changed them, and nobody vouched for that.
 */
export function sealChangedSecrets(
  secrets: PlainSecrets,
  before: ConfigUrls & Readonly<Record<ConfigSecret, SealedValue | null>>,
  after: ConfigUrls,
): PlainSecrets {
  const kept = SECRETS.filter((secret) => secrets[secret] === undefined);
  const again = kept.flatMap((secret) => {
    const text = readKept(before[secret], toSecretUrls(secret, before), toSecretUrls(secret, after));
    return text === undefined ? [] : [[secret, sealFor(text, toSecretUrls(secret, after))]];
  });
  return { ...sealNewSecrets(secrets, after), ...Object.fromEntries(again) };
}

/** The text of a secret that must be sealed again. Undefined when it stays as it is. */
function readKept(value: SealedValue | null, before: string[], after: string[]): string | undefined {
  if (value === null || before.join() === after.join()) return undefined;
  const origins = value.readOrigins();
  if (origins !== null && isSameSet(origins, toOrigins(after))) return undefined;
  return tryOpen(value, before) ?? tryOpen(value, after);
}

function tryOpen(value: SealedValue, urls: readonly string[]): string | undefined {
  try {
    return value.openFor(...urls).expose();
  } catch (error) {
    if (error instanceof DomainError && error.code === 'DECRYPTION_FAILED') return undefined;
    throw error;
  }
}

function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((each) => right.includes(each));
}
