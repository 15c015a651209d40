/**
 * The key specifications of Redis (COMMAND, since 7.0) as values, and as the short text the generated table holds:
 *
 *     1:0/1/0          keys from argument 1: last 0 after the first, step 1, no limit
 *     STREAMS@1:-1/1/2 from the argument after the word STREAMS, looked for from argument 1 on; half of what is left
 *     2:#0/1/1         argument 2 counts the keys, the first is 1 after it, step 1
 *     ?                the specification does not tell
 *     !1:0/1/0         a channel of sharded pub/sub: it decides the slot as a key does, and is none
 */

/** Where one group of keys is. Offsets are argument indexes; argument 0 is the name. */
export interface KeyPlace {
  /** Undefined: the specification does not tell. */
  readonly begin: { readonly index: number } | { readonly word: string; readonly from: number } | undefined;
  readonly find: KeyRange | KeyCount | undefined;
  /** A channel of sharded pub/sub. */
  readonly channel: boolean;
}

export interface KeyRange {
  /** From the first key; negative: from the last argument. */
  readonly last: number;
  readonly step: number;
  /** With `last` -1: the keys are the first 1/limit of what is left (0 and 1: all of it). */
  readonly limit: number;
}

export interface KeyCount {
  /** Where the number of keys is, where the first is (both from the beginning), and the distance between them. */
  readonly count: number;
  readonly first: number;
  readonly step: number;
}

export function parsePlaces(text: string): readonly KeyPlace[] {
  return text === '-' ? [] : text.split(';').map(parsePlace);
}

export function writePlaces(places: readonly KeyPlace[]): string {
  return places.length === 0 ? '-' : places.map(writePlace).join(';');
}

function parsePlace(text: string): KeyPlace {
  if (text === '?') return { begin: undefined, find: undefined, channel: false };
  const found = /^(!?)(?:([A-Z]+)@)?(-?\d+):(#?)(-?\d+)\/(-?\d+)\/(-?\d+)$/.exec(text);
  if (found === null) throw new Error(`no key specification: ${text}`);
  const [, mark, word, begin, counted, a, b, c] = found;
  return {
    begin: word === undefined ? { index: Number(begin) } : { word, from: Number(begin) },
    find:
      counted === '#'
        ? { count: Number(a), first: Number(b), step: Number(c) }
        : { last: Number(a), step: Number(b), limit: Number(c) },
    channel: mark === '!',
  };
}

function writePlace({ begin, find, channel }: KeyPlace): string {
  if (begin === undefined || find === undefined) return '?';
  const at = 'index' in begin ? String(begin.index) : `${begin.word}@${begin.from}`;
  const keys =
    'count' in find ? `#${find.count}/${find.first}/${find.step}` : `${find.last}/${find.step}/${find.limit}`;
  return `${channel ? '!' : ''}${at}:${keys}`;
}
