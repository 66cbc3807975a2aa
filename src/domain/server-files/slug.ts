import { createHash } from 'node:crypto';
import { FIELD_LIMITS } from '../../limits/field-limits.ts';

const MAX_LENGTH = FIELD_LIMITS.slug.value;

/**
 * Converts a name to a slug: lower-case letters, digits and single "-". A name without Latin letters and digits gets a
 * slug of its own, which it gets again every time: other names of this kind must not look like the same server.
 */
export function toSlug(name: string): string {
  const plain = name
    .slice(0, 1_000)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
  const slug = trimDashes(plain.replace(/[^a-z0-9]+/g, '-'));
  return trimDashes(slug.slice(0, MAX_LENGTH)) || `server-${digestName(name)}`;
}

function digestName(name: string): string {
  return createHash('sha256').update(name.normalize('NFKC').trim().toLowerCase()).digest('hex').slice(0, 8);
}

/**
 * Assigns a unique slug to each name. A name that is already a slug keeps it, whatever its position. Of other names
 * with the same slug, the second gets `-2`.
 */
export function toSlugs(names: readonly string[]): string[] {
  const taken = new Set(names.filter((name) => toSlug(name) === name));
  const seen = new Set<string>();
  return names.map((name) => {
    const base = toSlug(name);
    if (base === name && !seen.has(name)) {
      seen.add(name);
      return base;
    }
    const slug = taken.has(base) ? toFreeSlug(base, (each) => taken.has(each)) : base;
    taken.add(slug);
    return slug;
  });
}

/** The first of `base-2`, `base-3`, … that is not taken. */
export function toFreeSlug(base: string, isTaken: (slug: string) => boolean): string {
  for (let number = 2; ; number += 1) {
    const slug = toNumberedSlug(base, number);
    if (!isTaken(slug)) return slug;
  }
}

/** The slug with a number, shortened if necessary. */
export function toNumberedSlug(base: string, number: number): string {
  const ending = `-${number}`;
  return `${trimDashes(base.slice(0, MAX_LENGTH - ending.length))}${ending}`;
}

function trimDashes(text: string): string {
  return text.replace(/^-|-$/g, '');
}
