/**
 * Multi-key commands over several hash slots of a Redis Cluster: split where the joined answer is what one Redis would have
 * given for the same data (MGET, DEL, UNLINK, EXISTS, TOUCH), refused like Redis refuses otherwise. One part for each slot,
 * for a cluster refuses two slots in a request even when one node serves both.
 *
 * What is lost is being one moment: another client may see, or write, between the parts. MSET promises to be one, so it is
 * split only where the configuration says it may be.
 */

import { encodeCommand } from '@outrigger/core/resp';
import { isWord } from './arguments.ts';
import { error, integer, ok } from './encode.ts';

export interface Part {
  readonly slot: number;
  readonly request: Uint8Array;
  /** Which of the command's keys are here, in its order: 0 is its first. */
  readonly keys: readonly number[];
}

export interface Gather {
  /** How the replies become one: values in the order of the keys, a sum, or one OK. */
  readonly joined: 'values' | 'sum' | 'ok';
  readonly keys: number;
  /** By their first key. */
  readonly parts: readonly Part[];
}

/** For a command that cannot be split: what Redis says to it. */
export const crossSlot: Uint8Array = error("CROSSSLOT Keys in request don't hash to the same slot");

/**
 * The parts; undefined when the request is to be sent as it is: its keys share a slot, or have a count that the server will
 * refuse, or it is none of these commands (then, over several slots, `crossSlot` is its answer).
 */
export function plan(
  args: readonly Buffer[],
  slotOf: (key: Uint8Array) => number,
  allowNonAtomicMset = false,
): Gather | undefined {
  const joined = splittable(args[0], allowNonAtomicMset);
  const step = joined === 'ok' ? 2 : 1;
  if (joined === undefined || (args.length - 1) % step !== 0) return undefined;
  const bySlot = new Map<number, number[]>();
  const keys = (args.length - 1) / step;
  for (let key = 0; key < keys; key++) {
    const slot = slotOf(args[1 + key * step] as Buffer);
    const group = bySlot.get(slot);
    if (group === undefined) bySlot.set(slot, [key]);
    else group.push(key);
  }
  if (bySlot.size < 2) return undefined;
  const parts = [...bySlot].map(([slot, group]) => ({
    slot,
    request: request(args, group, step),
    keys: group,
  }));
  return { joined, keys, parts };
}

/**
 * One reply out of one for each part, in the parts' order: whole frames as they came. An error wins, the first one; what
 * the other parts have done stays done.
 */
export function join(gather: Gather, replies: readonly Uint8Array[]): Uint8Array {
  const failed = replies.find((reply) => reply[0] === minus || reply[0] === bang);
  if (failed !== undefined) return failed;
  switch (gather.joined) {
    case 'ok':
      return ok();
    case 'sum':
      return sum(replies);
    case 'values':
      return values(gather, replies);
  }
}

const minus = 0x2d;
const bang = 0x21;
const colon = 0x3a;
const dollar = 0x24;
const star = 0x2a;
const underscore = 0x5f;

function splittable(name: Uint8Array | undefined, allowNonAtomicMset: boolean): Gather['joined'] | undefined {
  if (isWord(name, 'MGET')) return 'values';
  const counts = ['DEL', 'UNLINK', 'EXISTS', 'TOUCH'].some((one) => isWord(name, one));
  if (counts) return 'sum';
  return allowNonAtomicMset && isWord(name, 'MSET') ? 'ok' : undefined;
}

function request(args: readonly Buffer[], keys: readonly number[], step: number): Uint8Array {
  const own = keys.flatMap((key) => args.slice(1 + key * step, 1 + (key + 1) * step));
  return encodeCommand([args[0] as Buffer, ...own]);
}

function sum(replies: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const reply of replies) {
    const count = reply[0] === colon ? lineNumber(reply, 0) : Number.NaN;
    if (!Number.isSafeInteger(count)) return unexpected(reply);
    total += count;
  }
  return integer(total);
}

/** The values are passed on as they stand, in whichever protocol. */
function values(gather: Gather, replies: readonly Uint8Array[]): Uint8Array {
  const inOrder: Uint8Array[] = Array.from({ length: gather.keys });
  for (const [i, part] of gather.parts.entries()) {
    const reply = replies[i] as Uint8Array;
    if (reply[0] !== star || lineNumber(reply, 0) !== part.keys.length) return unexpected(reply);
    let at = lineEnd(reply, 0);
    for (const key of part.keys) {
      const end = valueEnd(reply, at);
      inOrder[key] = reply.subarray(at, end);
      at = end;
    }
    // Whatever does not end where it should would shift every reply behind it.
    if (at !== reply.length) return unexpected(reply);
  }
  return Buffer.concat([Buffer.from(`*${gather.keys}\r\n`), ...inOrder]);
}

/** Of a string or a nothing: MGET answers no other values. NaN for what is neither. */
function valueEnd(bytes: Uint8Array, at: number): number {
  const end = lineEnd(bytes, at);
  if (bytes[at] === underscore) return end;
  const length = bytes[at] === dollar ? lineNumber(bytes, at) : Number.NaN;
  return length < 0 ? end : end + length + 2;
}

function lineEnd(bytes: Uint8Array, at: number): number {
  return bytes.indexOf(0x0a, at) + 1;
}

function lineNumber(bytes: Uint8Array, at: number): number {
  return Number(Buffer.from(bytes.subarray(at + 1, lineEnd(bytes, at) - 2)).toString('latin1'));
}

function unexpected(reply: Uint8Array): Uint8Array {
  const start = Buffer.from(reply.subarray(0, 24)).toString('latin1').trim();
  return error(`OUTRIGGER unexpected reply: a part of a split command was answered '${start}'`);
}
