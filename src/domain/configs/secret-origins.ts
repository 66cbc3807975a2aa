import { originOf } from '../../crypto/origin.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { SecretOrigins } from '../../data/repositories/config-repository.ts';
import { type ConfigUrlField, DESTINATIONS_OF_SECRET } from '../../data/repositories/config-secrets.ts';
import type { Issues } from '../validation/issues.ts';
import { type ConfigDraft, isKept } from './config-draft.ts';
import { type ConfigInput, SECRET_FIELDS, type SecretField } from './config-input.ts';

/** A config as it is stored, and the origins that its secrets were sealed for. */
export interface StoredConfig {
  config: McpServerConfigRecord;
  secretOrigins: SecretOrigins;
}

interface ConfigChange {
  draft: ConfigDraft;
  input: ConfigInput;
  before: StoredConfig;
}

/**
 * Reports secrets that a change would send to an origin that nobody entered them for.
 *
 * What counts is what a secret was sealed for, because SQL can change the URLs in the row. A secret that does not tell (an
 * old one, or one that does not open) is believed to be for the URLs in the row.
 */
export function checkSecretOrigins(issues: Issues, change: ConfigChange): void {
  for (const secret of SECRET_FIELDS) {
    for (const url of DESTINATIONS_OF_SECRET[secret]) {
      // One problem with a secret is enough, and a URL with a problem has no origin.
      if (issues.has(url) || issues.has(secret)) continue;
      if (isKept(change.draft, secret)) checkKept(issues, change, secret, url);
      else checkReplaced(issues, change, secret, url);
    }
  }
}

/** A secret that was entered for one server must be entered again before it is sent to another. */
function checkKept(issues: Issues, { draft, before }: ConfigChange, secret: SecretField, url: ConfigUrlField): void {
  if (draft[url] === '' || draft[url] === before.config[url]) return;
  const isNew = isForeign(before, secret, url)
    ? !before.secretOrigins[secret]?.includes(originOf(draft[url]) ?? '')
    : hasNewOrigin(draft[url], before.config[url]);
  if (!isNew) return;
  const message = `The origin of ${url} changes: send this secret again in the same request, or clear it with null.`;
  issues.add([secret], 'SECRET_NOT_RESENT', message);
}

/**
 * An admin who enters a secret again because the old one is not sent any more must not enter it for a URL that somebody
 * else wrote: they have to name the URL. The stored secrets are the witnesses, so none is cleared without that either.
 */
function checkReplaced(issues: Issues, change: ConfigChange, secret: SecretField, url: ConfigUrlField): void {
  const { draft, input, before } = change;
  const isStanding = draft[url] === before.config[url] && input[url] === undefined;
  const isChanged = SECRET_FIELDS.some(
    (each) => DESTINATIONS_OF_SECRET[each].includes(url) && isForeign(before, each, url),
  );
  if (draft[secret].kind === 'keep' || !isStanding || !isChanged) return;
  const message =
    'Was changed outside of the gateway since the secret was entered: send the correct URL in the same request.';
  issues.add([url], 'URL_NOT_CONFIRMED', message);
}

/** Whether a URL in the row is of another origin than the secret was sealed for: something else than the gateway wrote it. */
function isForeign({ config, secretOrigins }: StoredConfig, secret: SecretField, url: ConfigUrlField): boolean {
  const sealedFor = secretOrigins[secret];
  return sealedFor !== undefined && config[url] !== '' && !sealedFor.includes(originOf(config[url]) ?? '');
}

/** Whether data sent to one URL would now go to another scheme, host or port. An empty URL receives nothing. */
export function hasNewOrigin(after: string, before: string): boolean {
  if (after === '' || after === before) return false;
  const origin = originOf(after);
  return before === '' || origin === undefined || origin !== originOf(before);
}
