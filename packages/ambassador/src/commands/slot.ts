/** The hash slot of a key in a Redis Cluster: CRC16 (XMODEM) modulo 16384, of the hash tag where there is one. */

export const slotCount = 16_384;

export function slotOf(key: Uint8Array): number {
  return slotOfRange(key, 0, key.length);
}

/** As `slotOf`, of the key at `from` … `to` (exclusive): makes no object. */
export function slotOfRange(bytes: Uint8Array, from: number, to: number): number {
  const open = indexOf(bytes, brace, from, to);
  if (open === -1) return crc16(bytes, from, to) % slotCount;
  const close = indexOf(bytes, endBrace, open + 1, to);
  // `{}` is no tag: the whole key counts.
  if (close === -1 || close === open + 1) return crc16(bytes, from, to) % slotCount;
  return crc16(bytes, open + 1, close) % slotCount;
}

const brace = 0x7b;
const endBrace = 0x7d;

/** One step of the polynomial x^16 + x^12 + x^5 + 1 for each byte. */
const steps: Readonly<Uint16Array> = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc;
});

function crc16(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let i = from; i < to; i++) {
    crc = ((crc << 8) & 0xffff) ^ (steps[(crc >> 8) ^ (bytes[i] as number)] as number);
  }
  return crc;
}

function indexOf(bytes: Uint8Array, byte: number, from: number, to: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === byte) return i;
  return -1;
}
