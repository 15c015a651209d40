/** Reads arguments exactly as strictly as Redis does, so that what it would refuse is refused here too. */

/** Case does not matter to Redis in names, subcommands and options. */
export function word(arg: Uint8Array | undefined): string {
  return text(arg).toUpperCase();
}

/** Whether it is that word, in letters of any case; nothing is allocated. `upper` has capitals and `_` only. */
export function isWord(arg: Uint8Array | undefined, upper: string): boolean {
  if (arg?.length !== upper.length) return false;
  for (let i = 0; i < upper.length; i++) {
    const byte = arg[i] as number;
    const folded = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
    if (folded !== upper.charCodeAt(i)) return false;
  }
  return true;
}

export function text(arg: Uint8Array | undefined): string {
  return arg === undefined ? '' : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength).toString();
}

/**
 * A 64-bit integer as Redis reads it: no blank, no plus, no leading zero, no `-0`. Undefined for anything else. Beyond
 * 2^53 the last digits are lost, which no id of ours reaches.
 */
export function integerArgument(arg: Uint8Array | undefined): number | undefined {
  const digits = text(arg);
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(digits)) return undefined;
  const exact = BigInt(digits);
  return exact >= -(2n ** 63n) && exact < 2n ** 63n ? Number(digits) : undefined;
}

/** What may stand in a name that CLIENT LIST shows: printable, no blanks. */
export function showable(arg: Uint8Array): boolean {
  return arg.every((byte) => byte >= 0x21 && byte <= 0x7e);
}
