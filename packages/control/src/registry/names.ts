/** Names made by the server from `generateName`. */

import type { Random } from '@outrigger/core/clock';

/** No vowels and no digits that look like letters: a random suffix never spells a word. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxLength = 63;

/** How many names are tried before the client is told to come back. */
export const nameTries = 8;

export function generateName(prefix: string, random: Random): string {
  let name = prefix.slice(0, maxLength - suffixLength);
  for (let i = 0; i < suffixLength; i++) {
    name += alphabet[Math.floor(random.next() * alphabet.length)] ?? '';
  }
  return name;
}

/** A version 4 UUID from the given randomness, so that a simulation can replay it. */
export function uuid(random: Random): string {
  const [a = '', b = '', c = '', d = ''] = [0, 0, 0, 0].map(() => word(random));
  const variant = '89ab'[Math.floor(random.next() * 4)] ?? '8';
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-${variant}${c.slice(1, 4)}-${c.slice(4)}${d}`;
}

/** Eight hexadecimal digits. */
function word(random: Random): string {
  return Math.floor(random.next() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}
