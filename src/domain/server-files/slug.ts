const MAX_LENGTH = 64;

/** A name as a slug: lower-case letters, digits and single "-". `server` when nothing of it is left. */
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
 * A slug for each name, none twice. A name that is a slug already keeps it, wherever it stands; of others that come to
 * the same, the second gets `-2`.
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
