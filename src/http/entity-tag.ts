/** Whether a client has what an entity tag stands for. Tags are compared weakly, as for every GET (RFC 9110, section 13.1.2). */
export function hasTag(ifNoneMatch: string | undefined, tag: string): boolean {
  const asked = (ifNoneMatch ?? '').split(',').map((each) => toOpaque(each.trim()));
  return asked.includes('*') || asked.includes(toOpaque(tag));
}

function toOpaque(tag: string): string {
  return tag.replace(/^W\//, '');
}
