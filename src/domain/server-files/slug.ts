const MAX_LENGTH = 64;

/** Converts a name to a slug: lower-case letters, digits and single "-". `server` when nothing remains. */
export function toSlug(name: string): string {
  const plain = name
    .slice(0, 1_000)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
  const slug = trimDashes(plain.replace(/[^a-z0-9]+/g, '-'));
  return trimDashes(slug.slice(0, MAX_LENGTH)) || 'server';
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
    let slug = base;
    for (let number = 2; taken.has(slug); number += 1) {
      const ending = `-${number}`;
      slug = `${trimDashes(base.slice(0, MAX_LENGTH - ending.length))}${ending}`;
    }
    taken.add(slug);
    return slug;
  });
}

function trimDashes(text: string): string {
  return text.replace(/^-|-$/g, '');
}
