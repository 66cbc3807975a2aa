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

/**
 * Reads a token's claims, after its signature, issuer, audience and times were verified.
 *
 * @param roleClaim the claim that determines the role
 * @returns undefined when the subject or the expiry is invalid
 */
export function toIdentity(claims: JWTPayload, issuer: string, roleClaim: string): OidcIdentity | undefined {
  const { sub: subject, exp, iat } = claims;
  if (!isSubject(subject) || exp === undefined) return undefined;
  const expiresAt = new Date(exp * 1_000);
  // More seconds than a Date can hold.
  if (Number.isNaN(expiresAt.getTime())) return undefined;
  const role = toRole(Object.hasOwn(claims, roleClaim) ? claims[roleClaim] : undefined);
  // RFC 7519, section 4.1.6: in seconds. A value that a Date cannot hold is ignored.
  const issuedAt = typeof iat === 'number' && Math.abs(iat) < 8.64e12 ? new Date(iat * 1_000) : undefined;
  return { subject, emails: listEmails(claims, subject, issuer), role, issuedAt, expiresAt };
}

/** The highest role named by the claim, in lower or upper case. Member when it names none. */
function toRole(claim: unknown): Role {
  const named: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const lower = new Set(named.map((name) => (typeof name === 'string' ? name.toLowerCase() : undefined)));
  return ROLES_BY_REACH.find((role) => lower.has(role)) ?? 'member';
}

function isSubject(subject: unknown): subject is string {
  return typeof subject === 'string' && subject !== '' && subject.length <= MAX_SUBJECT_LENGTH && isStorable(subject);
}

function listEmails(claims: JWTPayload, subject: string, issuer: string): string[] {
  const { hostname } = new URL(issuer);
  const { email, email_verified: isVerified } = claims;
  // Using an address that the issuer marks as unverified would let anyone claim another person's address.
  const claimed = isVerified === false ? undefined : email;
  return [claimed, `${subject}@${hostname}`, `${randomUUID()}@${hostname}`].filter(isPlausibleEmail);
}

function isPlausibleEmail(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > MAX_EMAIL_LENGTH || !isStorable(text)) return false;
  return /^[^\s@]+@[^\s@]+$/.test(text) && !hasHiddenCharacter(text);
}
