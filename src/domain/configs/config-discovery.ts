import { DomainError } from '../../errors.ts';
import type { OAuthSettings } from '../connections/oauth-setup.ts';
import { isSameIssuer } from '../oauth/discovery/issuer-identifier.ts';
import type { ConfigDraft } from './config-draft.ts';
import type { ConfigInput } from './config-input.ts';

/** Fields that make the settings the admin's own. Once one is set, nothing is discovered. */
const OWN_SETTINGS = [
  'oauth2ClientId',
  'oauth2ClientSecret',
  'oauth2AuthUrl',
  'oauth2TokenUrl',
  'oauth2RevocationUrl',
  'oauth2Issuer',
] as const satisfies readonly (keyof ConfigInput)[];

/** Whether the authorization server settings must be discovered. */
export function needsDiscovery(draft: ConfigDraft): boolean {
  const { authType, oauth2ClientId, oauth2AuthUrl, oauth2TokenUrl } = draft;
  return authType === 'oauth2' && oauth2ClientId === '' && oauth2AuthUrl === '' && oauth2TokenUrl === '';
}

/** Whether a change leaves discovered settings unchanged, so that they still count as discovered. */
export function leavesSettings(input: ConfigInput): boolean {
  return OWN_SETTINGS.every((field) => input[field] === undefined);
}

/**
 * Prepares a change that moves a server with discovered settings: clears what was discovered at the old URL, so that it
 * is discovered again.
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
 * Adds the discovered settings to a draft.
 *
 * @throws UPSTREAM_FAILED when the admin gave another issuer than the one that was found
 */
export function withSettings(draft: ConfigDraft, settings: OAuthSettings, hasStoredSecret: boolean): ConfigDraft {
  const { oauth2ClientSecret: secret, discovery: _discovery, ...found } = settings;
  if (draft.oauth2Issuer !== '' && !isSameIssuer(draft.oauth2Issuer, found.oauth2Issuer)) {
    const message = `The server uses another authorization server than the issuer you gave: ${found.oauth2Issuer}.`;
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
