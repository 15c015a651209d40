/**
 * The order of a merged list. Items named by the patch keep the patch's order, items only the server has keep theirs,
 * and the two runs are interleaved so that as many server items as possible stay in front of what they were in front of.
 */

/** Tells which items are the same element: the merge key's value, or the scalar itself. */
export type Identity = (item: unknown) => unknown;

/**
 * `merged` in order: `wanted` lists identities in the patch's order, `before` is the list as the server had it.
 * Several items of one identity stay together, in their order.
 */
export function orderElements(
  merged: readonly unknown[],
  wanted: readonly unknown[],
  before: readonly unknown[],
  identity: Identity,
): unknown[] {
  const wantedAt = positions(wanted);
  const beforeAt = positions(before.map(identity));
  const place = (at: ReadonlyMap<unknown, number>, item: unknown): number =>
    at.get(identity(item)) ?? Number.POSITIVE_INFINITY;
  const ours = merged.filter((item) => wantedAt.has(identity(item)));
  const theirs = merged.filter((item) => !wantedAt.has(identity(item)));
  return interleave(
    theirs.toSorted((a, b) => compare(place(beforeAt, a), place(beforeAt, b))),
    ours.toSorted((a, b) => compare(place(wantedAt, a), place(wantedAt, b))),
    (item) => beforeAt.get(identity(item)),
  );
}

/** Takes the server's next item only where it is known to have stood before the patch's next item. */
function interleave(
  theirs: readonly unknown[],
  ours: readonly unknown[],
  placeBefore: (item: unknown) => number | undefined,
): unknown[] {
  const all: unknown[] = [];
  const waiting = theirs.values();
  let rival = waiting.next();
  for (const item of ours) {
    const place = placeBefore(item) ?? Number.NEGATIVE_INFINITY;
    while (rival.done !== true && (placeBefore(rival.value) ?? Number.POSITIVE_INFINITY) < place) {
      all.push(rival.value);
      rival = waiting.next();
    }
    all.push(item);
  }
  for (; rival.done !== true; rival = waiting.next()) all.push(rival.value);
  return all;
}

/** The first position of each value. */
function positions(values: readonly unknown[]): Map<unknown, number> {
  const at = new Map<unknown, number>();
  for (const [index, value] of values.entries()) if (!at.has(value)) at.set(value, index);
  return at;
}

/** Infinity equals itself, which a subtraction would not say. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
