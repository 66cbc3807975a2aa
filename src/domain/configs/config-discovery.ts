import { DomainError } from '../../errors.ts';
import type { OAuthSettings } from '../connections/oauth-setup.ts';
import type { ConfigDraft } from './config-draft.ts';
import type { ConfigInput } from './config-input.ts';

/** What makes settings an admin's own: from then on nothing of them is discovered. */
const OWN_SETTINGS = [
  'oauth2ClientId',
  'oauth2ClientSecret',
  'oauth2AuthUrl',
  'oauth2TokenUrl',
  'oauth2RevocationUrl',
  'oauth2Issuer',
] as const satisfies readonly (keyof ConfigInput)[];

/** Whether the settings of the authorization server have to be found out. */
export function needsDiscovery(draft: ConfigDraft): boolean {
  const { authType, oauth2ClientId, oauth2AuthUrl, oauth2TokenUrl } = draft;
  return authType === 'oauth2' && oauth2ClientId === '' && oauth2AuthUrl === '' && oauth2TokenUrl === '';
}

/** Whether a change leaves discovered settings alone, so that they stay discovered ones. */
export function leavesSettings(input: ConfigInput): boolean {
  return OWN_SETTINGS.every((field) => input[field] === undefined);
}

/**
 * The change to a config with discovered settings, when it moves the server: what was discovered of the old place is
 * taken out, so that it is discovered anew.
 */
export function withoutSettings(input: ConfigInput): ConfigInput {
  return {
    ...input,
    oauth2ClientId: null,
    oauth2ClientSecret: null,
    oauth2AuthUrl: null,
    oauth2TokenUrl: null,
    oauth2RevocationUrl: null,
    oauth2Issuer: null,
  };
}

/**
 * The draft with what was discovered.
 *
 * @throws UPSTREAM_FAILED when the admin named another issuer than the one that was found
 */
export function withSettings(draft: ConfigDraft, settings: OAuthSettings, hasStoredSecret: boolean): ConfigDraft {
  const { oauth2ClientSecret: secret, discovery: _discovery, ...found } = settings;
  if (draft.oauth2Issuer !== '' && draft.oauth2Issuer !== found.oauth2Issuer) {
    const message = `The server names another authorization server than the issuer that you gave: ${found.oauth2Issuer}.`;
    throw new DomainError('UPSTREAM_FAILED', message, { step: 'protected_resource_metadata' });
  }
  return {
    ...draft,
    ...found,
    oauth2RevocationUrl: draft.oauth2RevocationUrl || found.oauth2RevocationUrl,
    oauth2ClientSecret: toSecretChange(secret, hasStoredSecret),
  };
}

function toSecretChange(
  secret: OAuthSettings['oauth2ClientSecret'],
  stored: boolean,
): ConfigDraft['oauth2ClientSecret'] {
  if (secret === undefined) return { kind: 'keep', stored };
  return secret === null ? { kind: 'clear' } : { kind: 'set', value: secret };
}
