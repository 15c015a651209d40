/**
 * Sets: how many distinct members were named within a minute.
 *
 * The gauge shows the larger of two numbers: the members of the running minute so far, and those of the whole minute
 * before. So it neither falls to nothing when a minute begins, nor grows for ever; a set nobody speaks of is 0 after
 * two minutes. Up to 64 members are counted exactly, more by HyperLogLog in 2,048 registers (2.3 % standard error), and
 * at most 4,096 sets are kept, so a hostile client costs at most some 16 MiB.
 */

/** Members are forgotten after this long, ms. */
export const setWindowMs = 60_000;

/** Sets kept at most. */
export const maxSets = 4096;

const exactMembers = 64;
const registerBits = 11;
const registers = 2 ** registerBits;

/** How many distinct 32-bit hashes were added. */
export class Distinct {
  #members: Set<number> | undefined = new Set();
  #ranks: Uint8Array | undefined;
  #count = 0;

  /** True when the estimate may have changed. */
  add(hash: number): boolean {
    if (this.#members !== undefined) {
      const before = this.#members.size;
      this.#members.add(hash >>> 0);
      if (this.#members.size > exactMembers) this.#sketch(this.#members);
      else {
        this.#count = this.#members.size;
        return this.#count !== before;
      }
    }
    return this.#rank(hash);
  }

  get count(): number {
    if (this.#ranks === undefined) return this.#count;
    let zeros = 0;
    let sum = 0;
    for (const rank of this.#ranks) {
      sum += 2 ** -rank;
      if (rank === 0) zeros += 1;
    }
    const raw = ((0.7213 / (1 + 1.079 / registers)) * registers * registers) / sum;
    // Few members leave registers empty, and counting those is more exact.
    const estimate = raw <= 2.5 * registers && zeros > 0 ? registers * Math.log(registers / zeros) : raw;
    return Math.round(estimate);
  }

  #sketch(members: ReadonlySet<number>): void {
    this.#members = undefined;
    this.#ranks = new Uint8Array(registers);
    for (const member of members) this.#rank(member);
  }

  #rank(hash: number): boolean {
    const ranks = this.#ranks as Uint8Array;
    const at = hash >>> (32 - registerBits);
    const rank = Math.min(Math.clz32(hash << registerBits) + 1, 32 - registerBits + 1);
    if (rank <= (ranks[at] ?? 0)) return false;
    ranks[at] = rank;
    return true;
  }
}

interface MemberSet {
  readonly generation: number;
  running: Distinct;
  before: number;
}

/** The sets of a store's gauges, by slot. */
export class Sets {
  readonly #sets = new Map<number, MemberSet>();

  get size(): number {
    return this.#sets.size;
  }

  /** The value to show now; undefined: unchanged. -1: there are too many sets. */
  add(slot: number, generation: number, hash: number): number | undefined {
    let set = this.#sets.get(slot);
    if (set === undefined || set.generation !== generation) {
      if (set === undefined && this.#sets.size >= maxSets) return -1;
      set = { generation, running: new Distinct(), before: 0 };
      this.#sets.set(slot, set);
    }
    return set.running.add(hash) ? Math.max(set.running.count, set.before) : undefined;
  }

  /** A minute is over. Calls `show` with what each set shows from now on, and forgets those without members. */
  turn(
    isKept: (slot: number, generation: number) => boolean,
    show: (slot: number, value: number) => void,
  ): void {
    for (const [slot, set] of this.#sets) {
      if (!isKept(slot, set.generation)) {
        this.#sets.delete(slot);
        continue;
      }
      const shown = Math.max(set.running.count, set.before);
      const { count } = set.running;
      if (count !== shown) show(slot, count);
      set.before = count;
      set.running = new Distinct();
      if (count === 0) this.#sets.delete(slot);
    }
  }
}

/** A hash of bytes whose every bit depends on all of them (FNV-1a, then murmur3's finisher). */
export function hashMember(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed | 0;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x0100_0193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85eb_ca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
