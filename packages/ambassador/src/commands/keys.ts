/** Where a command's keys are among its arguments, by the specifications of COMMAND; and the slot of the first in a frame. */

import type { Command } from './command.ts';
import type { KeyCount, KeyPlace, KeyRange } from './key-spec.ts';
import { slotOfRange } from './slot.ts';

export interface KeySpec {
  readonly places: readonly KeyPlace[];
  /** The argument that is always the first key; 0 when it has to be looked for. */
  readonly first: number;
  /** Keys that no specification can tell. */
  readonly special: SpecialKeys | undefined;
}

export type SpecialKeys = (args: readonly Uint8Array[]) => number[];

/** `firstKeySlot`: the request has no key. */
export const noKey = -1;
/** `firstKeySlot`: only `keysOf` can tell. */
export const needsDecoding = -2;

/** Undefined when a command has no keys at all. */
export function keySpecOf(name: string, places: readonly KeyPlace[]): KeySpec | undefined {
  if (places.length === 0) return undefined;
  const [{ begin, find }] = places as [KeyPlace];
  const special = specialKeys[name];
  const fixed = begin !== undefined && 'index' in begin && find !== undefined && 'last' in find;
  return { places, first: fixed && special === undefined ? begin.index : 0, special };
}

/**
 * The argument indexes of a request's keys, in the order COMMAND GETKEYS gives them. Channels of sharded pub/sub are among
 * them, since they decide the slot too. Empty when the arguments make no sense: Redis will say so.
 */
export function keysOf(command: Command, args: readonly Uint8Array[]): number[] {
  const spec = command.keys;
  if (spec === undefined) return [];
  if (spec.special !== undefined) return spec.special(args);
  const found = spec.places.map((place) => keysAt(place, args));
  return found.includes(undefined) ? [] : (found as number[][]).flat();
}

/**
 * The hash slot of the first key of a whole request in RESP, found without decoding it. `noKey` when there is none,
 * `needsDecoding` when its place depends on the arguments or the request is a line of words.
 */
export function firstKeySlot(command: Command, frame: Uint8Array): number {
  const spec = command.keys;
  if (spec === undefined) return noKey;
  if (spec.first === 0 || frame[0] !== star) return needsDecoding;
  let at = afterLine(frame, 0);
  for (let argument = 0; at < frame.length; argument++) {
    const body = afterLine(frame, at);
    const end = body + lengthAt(frame, at + 1);
    if (argument === spec.first) return slotOfRange(frame, body, end);
    at = end + 2;
  }
  return noKey;
}

/** Undefined when the arguments contradict the specification: then none of the request's keys can be told. */
function keysAt({ begin, find }: KeyPlace, args: readonly Uint8Array[]): number[] | undefined {
  const first = begin === undefined ? 0 : 'index' in begin ? begin.index : afterWord(begin, args);
  if (first <= 0 || first >= args.length || find === undefined) return [];
  return 'count' in find ? counted(find, first, args) : ranged(find, first, args.length);
}

/** The argument after the word; 0 when it is not there. From a negative place on it is looked for backwards. */
function afterWord({ word, from }: { word: string; from: number }, args: readonly Uint8Array[]): number {
  const step = from > 0 ? 1 : -1;
  for (let i = from > 0 ? from : args.length + from; i > 0 && i < args.length; i += step) {
    if (isWord(args[i], word)) return i + 1;
  }
  return 0;
}

function ranged({ last, step, limit }: KeyRange, first: number, count: number): number[] {
  if (last >= 0) return series(first, first + last, step, count);
  if (limit > 1) return series(first, first + Math.floor((count - first) / limit) + last, step, count);
  return series(first, count + last, step, count);
}

function counted(
  { count, first, step }: KeyCount,
  from: number,
  args: readonly Uint8Array[],
): number[] | undefined {
  const keys = integer(args[from + count]);
  const begin = from + first;
  if (keys === undefined || keys <= 0 || begin + (keys - 1) * step >= args.length) return undefined;
  return series(begin, begin + (keys - 1) * step, step, args.length);
}

function series(first: number, last: number, step: number, count: number): number[] {
  const indexes: number[] = [];
  for (let i = first; i <= last && i < count; i += Math.max(step, 1)) indexes.push(i);
  return indexes;
}

/** Of what COMMAND calls incomplete or unknown, as the servers' own code finds them. */
const specialKeys: Readonly<Record<string, SpecialKeys>> = {
  SORT: (args) => [...argument(1, args), ...sortStore(args)],
  MIGRATE: migrateKeys,
};

/** One key at its place, or an empty one there and many after the word KEYS. */
function migrateKeys(args: readonly Uint8Array[]): number[] {
  for (let i = 6; i < args.length; i++) {
    if (isWord(args[i], 'KEYS')) {
      return args[3]?.length === 0 ? series(i + 1, args.length, 1, args.length) : [];
    }
    if (isWord(args[i], 'AUTH')) i += 1;
    else if (isWord(args[i], 'AUTH2')) i += 2;
  }
  return argument(3, args);
}

/** Words that are arguments of others are not options; of several STOREs the last one counts. */
function sortStore(args: readonly Uint8Array[]): number[] {
  let found: number[] = [];
  for (let i = 2; i < args.length; i++) {
    if (isWord(args[i], 'LIMIT')) i += 2;
    else if (isWord(args[i], 'GET') || isWord(args[i], 'BY')) i += 1;
    else if (isWord(args[i], 'STORE') && i + 1 < args.length) found = [++i];
  }
  return found;
}

function argument(index: number, args: readonly Uint8Array[]): number[] {
  return index < args.length ? [index] : [];
}

/** Whether an argument is this word (upper case), in whatever case. */
export function isWord(arg: Uint8Array | undefined, word: string): boolean {
  if (arg?.length !== word.length) return false;
  return Buffer.from(arg).toString('latin1').toUpperCase() === word;
}

function integer(arg: Uint8Array | undefined): number | undefined {
  const text = arg === undefined ? '' : Buffer.from(arg).toString('latin1');
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const star = 0x2a;
const lf = 0x0a;
const digit0 = 0x30;
const digit9 = 0x39;

function afterLine(frame: Uint8Array, from: number): number {
  let i = from;
  while (i < frame.length && frame[i] !== lf) i++;
  return i + 1;
}

/** The frame has been through the scanner: lengths are plain digits. */
function lengthAt(frame: Uint8Array, from: number): number {
  let value = 0;
  for (let i = from; i < frame.length; i++) {
    const byte = frame[i] as number;
    if (byte < digit0 || byte > digit9) break;
    value = value * 10 + byte - digit0;
  }
  return value;
}
