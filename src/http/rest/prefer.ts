/**
 * Whether a caller wants the result in the response (RFC 7240, section 4.2: `return=representation`). The first `return`
 * counts, and parameters are ignored (section 2).
 *
 * @param prefer the `Prefer` header; several are joined with a comma
 */
export function prefersRepresentation(prefer: string | undefined): boolean {
  for (const preference of (prefer ?? '').split(',')) {
    const [pair = ''] = preference.split(';');
    const [name = '', value = ''] = pair.split('=');
    if (name.trim().toLowerCase() !== 'return') continue;
    return value.trim().replace(/^"(.*)"$/, '$1') === 'representation';
  }
  return false;
}
