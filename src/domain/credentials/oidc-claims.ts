import { randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { FIELD_LIMITS } from '../../limits/field-limits.ts';
import type { Role } from '../../policy/viewer.ts';
import { hasHiddenCharacter, isStorable } from '../validation/text.ts';

/** The identity in a verified token. */
export interface OidcIdentity {
  subject: string;
  /** Email addresses for the user's row, best first. The last one is random, so it is always free. */
  emails: string[];
  /** The email address that the issuer says it has verified. */
  verifiedEmail: string | undefined;
  role: Role;
  /** When the token was issued, if the token says so. */
  issuedAt: Date | undefined;
  expiresAt: Date;
}

/** OpenID Connect Core 1.0, section 2. */
const MAX_SUBJECT_LENGTH = CREDENTIAL_LIMITS.oidcSubject.value;
const MAX_EMAIL_LENGTH = FIELD_LIMITS.email.value;

/** Roles by precedence. The first one counts when a token has several. */
const ROLES_BY_REACH: readonly Role[] = ['admin', 'auditor', 'service', 'member'];

/** How the claims of an issuer are read. */
export interface ClaimRules {
  issuer: string;
  /** The claim that determines the role. */
  roleClaim: string;
  /** The role of each value of that claim. If absent, its values are the names of roles, in lower or upper case. */
  roleMap?: ReadonlyMap<string, Role> | undefined;
}

/**
 * Reads a token's claims, after its signature, issuer, audience and times were verified.
 *
 * @returns undefined when the subject or the expiry is invalid
 */
export function toIdentity(claims: JWTPayload, rules: ClaimRules): OidcIdentity | undefined {
  const { issuer, roleClaim, roleMap } = rules;
  const { sub: subject, exp, iat } = claims;
  if (!isSubject(subject) || exp === undefined) return undefined;
  const expiresAt = new Date(exp * 1_000);
  // More seconds than a Date can hold.
  if (Number.isNaN(expiresAt.getTime())) return undefined;
  const role = toRole(Object.hasOwn(claims, roleClaim) ? claims[roleClaim] : undefined, roleMap);
  // RFC 7519, section 4.1.6: in seconds. A value that a Date cannot hold is ignored.
  const issuedAt = typeof iat === 'number' && Math.abs(iat) < 8.64e12 ? new Date(iat * 1_000) : undefined;
  const { email } = claims;
  const verifiedEmail = isMarked(claims, true) && isPlausibleEmail(email) ? email : undefined;
  return { subject, emails: listEmails(claims, subject, issuer), verifiedEmail, role, issuedAt, expiresAt };
}

/** The highest role that the claim means. Member when it means none. */
function toRole(claim: unknown, roleMap: ReadonlyMap<string, Role> | undefined): Role {
  const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const names = values.map((value): string | undefined => {
    if (typeof value !== 'string') return undefined;
    return roleMap === undefined ? value.toLowerCase() : roleMap.get(value);
  });
  return ROLES_BY_REACH.find((role) => names.includes(role)) ?? 'member';
}

/** Whether a role reaches less far than another. */
export function isLowerRole(role: Role, than: Role): boolean {
  return ROLES_BY_REACH.indexOf(role) > ROLES_BY_REACH.indexOf(than);
}

function isSubject(subject: unknown): subject is string {
  return typeof subject === 'string' && subject !== '' && subject.length <= MAX_SUBJECT_LENGTH && isStorable(subject);
}

function listEmails(claims: JWTPayload, subject: string, issuer: string): string[] {
  const { hostname } = new URL(issuer);
  // Using an address that the issuer marks as unverified would let anyone claim another person's address.
  const claimed = isMarked(claims, false) ? undefined : claims['email'];
  return [claimed, `${subject}@${hostname}`, `${randomUUID()}@${hostname}`].filter(isPlausibleEmail);
}

/** Whether the issuer marks the address like this. Some write the value as text. */
function isMarked({ email_verified: mark }: JWTPayload, as: boolean): boolean {
  return mark === as || mark === String(as);
}

function isPlausibleEmail(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > MAX_EMAIL_LENGTH || !isStorable(text)) return false;
  return /^[^\s@]+@[^\s@]+$/.test(text) && !hasHiddenCharacter(text);
}
