import type { Secret } from '../../crypto/secret.ts';
import type { Role } from '../../policy/viewer.ts';

/** How the operator configures the OpenID Connect issuer. */
export interface OidcSettings {
  /** The exact `iss` of its tokens. The metadata is found from it. https, or http on loopback. */
  issuer: string;
  /** A value that `aud` of bearer tokens must contain. If absent, no bearer token is accepted. */
  audience: string | undefined;
  /** The claim that contains the role: a value, or an array of values of which the highest role counts. */
  roleClaim: string;
  /** The role of each value of the claim. If absent, the values are the names of roles. */
  roleMap: ReadonlyMap<string, Role> | undefined;
  /** Only verified email addresses of exactly these domains are admitted, in lower case. If empty, everybody is. */
  emailDomains: readonly string[];
  /** Whether somebody who was not here before becomes a user. */
  allowsSignUp: boolean;
  /** If absent, browsers cannot sign in at the issuer. */
  signIn: OidcSignInSettings | undefined;
}

/** The gateway as a client of the issuer, for browsers that sign in. */
export interface OidcSignInSettings {
  clientId: string;
  /** If absent, the gateway is a public client. */
  clientSecret: Secret | undefined;
  /** Always contains `openid`. */
  scopes: readonly string[];
  /** What the button on the sign-in page calls the issuer. */
  label: string;
  /** The absolute lifetime of a session that a sign-in opens. */
  sessionHours: number;
}
