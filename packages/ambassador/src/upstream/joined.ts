/** Fewer writes for the same bytes. */

/** Slices up to this size are joined; a longer one is written by itself. */
const joinLimit = 16_384;

/** The same bytes in fewer pieces: short ones side by side become one. */
export function joined(out: readonly Uint8Array[]): readonly Uint8Array[] {
  if (out.length === 1) return out;
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < out.length;) {
    let to = from;
    while (to < out.length && (out[to] as Uint8Array).length <= joinLimit) to++;
    to = Math.max(to, from + 1);
    pieces.push(to === from + 1 ? (out[from] as Uint8Array) : Buffer.concat(out.slice(from, to)));
    from = to;
  }
  return pieces;
}
