/** Tells a server's rejection from an answer, by its first word; nothing is allocated. */

import { rejections } from './run.ts';
import type { Rejection } from './run.ts';

const byByte: readonly (readonly Rejection[])[] = byFirstByte();

/** The rejection that the error at `start` (its `-`) is, up to `end`. */
export function rejectionIn(chunk: Uint8Array, start: number, end: number): Rejection | undefined {
  for (const word of byByte[chunk[start + 1] as number] ?? []) {
    if (start + 1 + word.length < end && matches(chunk, start + 1, word)) return word;
  }
  return undefined;
}

function matches(chunk: Uint8Array, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (chunk[at + i] !== word.charCodeAt(i)) return false;
  const next = chunk[at + word.length];
  return next === 0x20 || next === 0x0d;
}

function byFirstByte(): Rejection[][] {
  const table: Rejection[][] = [];
  for (const word of rejections) (table[word.charCodeAt(0)] ??= []).push(word);
  return table;
}
