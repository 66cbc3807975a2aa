import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';

/** A key pair of an issuer, which can sign tokens. */
export interface OidcSigner {
  kid: string;
  privateJwk: JWK;
  publicJwk: JWK;
  /** The public key as PEM: the secret in an HS256 forgery. */
  publicPem: string;
  /** Signs any claims. @param header replaces or removes (undefined) `alg`, `kid` and `typ` */
  sign(claims: JWTPayload, header?: { kid?: string | undefined; typ?: string | undefined }): Promise<string>;
}

export async function createOidcSigner(alg = 'RS256', kid = 'key-1'): Promise<OidcSigner> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const named = { kid, alg, use: 'sig' };
  return {
    kid,
    privateJwk: { ...(await exportJWK(privateKey)), ...named },
    publicJwk: { ...(await exportJWK(publicKey)), ...named },
    publicPem: await exportSPKI(publicKey),
    sign(claims, header = {}) {
      const parameters = { alg, kid, typ: 'at+jwt', ...header };
      const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
      return new SignJWT(claims).setProtectedHeader(Object.fromEntries(given) as JWTHeaderParameters).sign(privateKey);
    },
  };
}
