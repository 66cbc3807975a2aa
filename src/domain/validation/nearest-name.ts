/** Longer names are not compared: the time grows with the product of both lengths. */
const MAX_COMPARED = 100;

/**
 * The known name that needs the fewest changed letters (Levenshtein distance) to become this one. Case, dashes and
 * underscores do not count, so that `toolDenylist` is near `tool_deny_list`.
 *
 * @returns undefined if there are no known names or the name is very long
 */
export function findNearestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > MAX_COMPARED) return undefined;
  const plain = toPlain(name);
  let nearest: { name: string; distance: number } | undefined;
  for (const each of known) {
    const distance = measureDistance(plain, toPlain(each));
    if (nearest === undefined || distance < nearest.distance) nearest = { name: each, distance };
  }
  return nearest?.name;
}

/** Like `findNearestName`, but only a name that differs in at most two letters and less than a third of them. */
export function findSimilarName(name: string, known: Iterable<string>): string | undefined {
  const nearest = findNearestName(name, known);
  if (nearest === undefined) return undefined;
  const distance = measureDistance(toPlain(name), toPlain(nearest));
  return distance <= 2 && distance * 3 < toPlain(name).length ? nearest : undefined;
}

/** A sentence that names the nearest known name. Empty if there is none. */
export function suggestName(name: string, known: Iterable<string>): string {
  const nearest = findNearestName(name, known);
  return nearest === undefined ? '' : ` The nearest known one is "${nearest}".`;
}

function toPlain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** The Levenshtein distance, one row of the table at a time. */
function measureDistance(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[right.length] ?? 0;
}
