const DAY_MS = 86_400_000;

/** How long tokens can work, in days, and the words for it. */
export const EXPIRY_OPTIONS = [
  ['7', 'One week'],
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', 'One year'],
  ['', 'Until it is revoked'],
] as const;

/** When a token made now ends; null if it does not end by itself. @param days as in the options */
export function toExpiresAt(days: string): string | null {
  return days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();
}
