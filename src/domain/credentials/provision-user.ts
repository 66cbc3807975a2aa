import type { OidcUserRecord } from '../../data/repositories/user-repository.ts';
import type { Repositories, Store } from '../../data/store.ts';
import { forbidden } from '../../errors.ts';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import type { Role } from '../../policy/viewer.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { isLowerRole, type OidcIdentity } from './oidc-claims.ts';
import type { OidcSettings } from './oidc-settings.ts';

const SESSION_IDLE_MS = CREDENTIAL_LIMITS.sessionIdle.value;

/** Who may become, or stay, a user. */
export type AdmissionRules = Pick<OidcSettings, 'issuer' | 'emailDomains' | 'allowsSignUp'>;

/** What a verified token says about its user. */
export type IdentityFacts = Pick<OidcIdentity, 'subject' | 'emails' | 'verifiedEmail' | 'role' | 'issuedAt'>;

/**
 * Refuses identities without a verified address of one of the domains. Compared letter by letter: neither subdomains nor
 * names that only begin or end alike are the same.
 *
 * @throws FORBIDDEN
 */
export function assertAdmitted({ verifiedEmail }: IdentityFacts, { emailDomains }: AdmissionRules): void {
  if (emailDomains.length === 0) return;
  const domain = verifiedEmail?.slice(verifiedEmail.lastIndexOf('@') + 1).toLowerCase();
  if (domain !== undefined && emailDomains.includes(domain)) return;
  throw forbidden(
    domain === undefined
      ? 'Your provider does not say that it has verified your email address. This gateway admits only verified addresses of certain domains.'
      : 'Your email address is of a domain that this gateway does not admit. Ask its operator.',
  );
}

/**
 * Finds the user of an identity, creates it on first sight, and keeps its role in sync with the issuer.
 *
 * A sign-in always decides the role. Other tokens decide it only while no session of a sign-in lives, and only if they are
 * newer than what decided it before, so that two tokens with different roles do not undo each other. The last active admin
 * stays one.
 *
 * @param facts.isSignIn whether the user signs in now
 * @returns null for a token that was issued before its user was deleted
 * @throws FORBIDDEN when the identity has no user and may not become one
 */
export async function provisionUser(
  store: Pick<Store, 'users' | 'transaction'>,
  facts: IdentityFacts & { isSignIn: boolean },
  { rules, now }: { rules: AdmissionRules; now: Date },
): Promise<OidcUserRecord | null> {
  const { issuer } = rules;
  const known = await store.users.findOidc(SYSTEM, { issuer, ...facts });
  if (known !== null && !(await mayDecide(store, known, facts, now))) return known;
  return store.transaction(async (tx) => {
    const found = await tx.users.findOidc(SYSTEM, { issuer, ...facts });
    if (found !== null) return changeRole(tx, found.id, facts, now);
    if (!rules.allowsSignUp) {
      throw forbidden('You are not a user of this gateway, and it takes no new ones. Ask its operator.');
    }
    const created = await tx.users.createOidc(SYSTEM, { issuer, ...facts });
    if (created !== null) await record(tx, created, null);
    return created;
  });
}

/** Whether these facts can change the user. Always false for a token that was seen before. */
async function mayDecide(
  store: Pick<Repositories, 'users'>,
  user: OidcUserRecord,
  facts: Pick<IdentityFacts, 'role' | 'issuedAt'> & { isSignIn: boolean },
  now: Date,
): Promise<boolean> {
  if (facts.isSignIn) return user.role !== facts.role || user.roleAt?.getTime() !== facts.issuedAt?.getTime();
  if (user.role === facts.role || !isNews(user, facts)) return false;
  const idleBefore = new Date(now.getTime() - SESSION_IDLE_MS);
  return !(await store.users.hasOidcSession(SYSTEM, { id: user.id, now, idleBefore }));
}

/** Tokens have whole seconds. Of two of the same second, and of those without a time, the lower role counts. */
function isNews(user: OidcUserRecord, { role, issuedAt }: Pick<IdentityFacts, 'role' | 'issuedAt'>): boolean {
  if (issuedAt === undefined || issuedAt.getTime() === user.roleAt?.getTime()) return isLowerRole(role, user.role);
  return user.roleAt === null || issuedAt > user.roleAt;
}

/** Decides again under the lock. */
async function changeRole(
  tx: Repositories,
  id: string,
  facts: IdentityFacts & { isSignIn: boolean },
  now: Date,
): Promise<OidcUserRecord | null> {
  const { user, otherActiveAdmins } = await tx.users.lockWithAdmins(SYSTEM, { id });
  const roleAt = await tx.users.readOidcRoleAt(SYSTEM, { id });
  if (user === null) return null;
  const current = { ...user, roleAt };
  if (!(await mayDecide(tx, current, facts, now))) return current;
  const isLastAdmin = user.role === 'admin' && user.status === 'active' && otherActiveAdmins === 0;
  const role: Role = isLastAdmin ? 'admin' : facts.role;
  const changed = await tx.users.setOidcRole(SYSTEM, { id, role, issuedAt: facts.issuedAt });
  if (changed.role !== user.role) await record(tx, changed, user.role);
  return changed;
}

async function record(tx: Repositories, user: OidcUserRecord, before: Role | null): Promise<void> {
  await tx.audit.append(SYSTEM, {
    actor: SYSTEM,
    action: 'user.provision',
    target: { type: 'user', id: user.id, label: user.email },
    changes: [{ field: 'role', before, after: user.role }],
  });
}
