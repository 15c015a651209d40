/** Sizes as people write them: `65536`, `64KiB`, `10MB`. In the program they are bytes. */

import { OutriggerError } from '../errors/index.ts';

const units: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['kB', 1e3],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['Ki', 2 ** 10],
  ['KiB', 2 ** 10],
  ['Mi', 2 ** 20],
  ['MiB', 2 ** 20],
  ['Gi', 2 ** 30],
  ['GiB', 2 ** 30],
  ['Ti', 2 ** 40],
  ['TiB', 2 ** 40],
]);

/** Whole bytes, or undefined where the text is not a size or not a whole number of bytes that can be counted. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,16}(?:\.\d{1,9})?)([A-Za-z]{0,3})$/.exec(text);
  const unit = match === null ? undefined : units.get(match[2] ?? '');
  if (match === null || unit === undefined) return undefined;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** For values that validation has passed: bytes, or an error that names the field. */
export function sizeBytes(text: string, field: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new OutriggerError(`${field}: "${text}" is not a size`, {
    code: 'API_BAD_SIZE',
    target: field,
    hint: 'write a number of bytes with an optional unit, such as 65536, 64KiB or 10MB',
  });
}

/** In the largest binary unit that divides it: `64KiB`, `1500B`. */
export function formatSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const size = units.get(unit) ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}
