import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Secret } from '../../crypto/secret.ts';

const PREFIX = 'gth_';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 256 bits need 43 base-62 digits. */
const RANDOM_DIGITS = 43;
/** 32 bits need 6. */
const CHECKSUM_DIGITS = 6;
const FORMAT = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_DIGITS + CHECKSUM_DIGITS}}$`);

/**
 * Generates an API token: `gth_`, 256 random bits and a CRC-32 of them, both in base 62. The prefix lets scanners find
 * leaked tokens; the checksum lets the gateway reject mistyped tokens without a database query.
 */
export function generateApiToken(): Secret {
  const random = toBase62(BigInt(`0x${randomBytes(32).toString('hex')}`), RANDOM_DIGITS);
  return new Secret(`${PREFIX}${random}${checksumOf(random)}`);
}

/** Whether the text has the prefix of an API token. */
export function hasApiTokenPrefix(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Whether the text has the form and checksum of an API token. */
export function isWellFormedApiToken(text: string): boolean {
  if (!FORMAT.test(text)) return false;
  const random = text.slice(PREFIX.length, PREFIX.length + RANDOM_DIGITS);
  return text.slice(PREFIX.length + RANDOM_DIGITS) === checksumOf(random);
}

/** SHA-256 in lower-case hexadecimal. Tokens of 256 random bits are stored and looked up by it. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'hex');
}

/** 256 random bits in base64url, for session cookies and sign-in links. */
export function generateOpaqueToken(): Secret {
  return new Secret(randomBytes(32).toString('base64url'));
}

function checksumOf(random: string): string {
  return toBase62(BigInt(crc32(random)), CHECKSUM_DIGITS);
}

function toBase62(value: bigint, length: number): string {
  let rest = value;
  let text = '';
  for (let index = 0; index < length; index += 1) {
    text = `${DIGITS[Number(rest % 62n)]}${text}`;
    rest /= 62n;
  }
  return text;
}
