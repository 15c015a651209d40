/** The randomness joint: the machine's, or a seeded one for replays. */

export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

export function systemRandom(): Random {
  return { next: () => Math.random() };
}

/** mulberry32: 32 bits of state, enough for tests and simulations, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    },
  };
}

/** `base` lengthened by up to `fraction` of itself, so that many clients do not come back in step. */
export function jitter(base: number, fraction: number, random: Random): number {
  return base * (1 + random.next() * fraction);
}
