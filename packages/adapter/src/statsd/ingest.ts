/**
 * Bytes → series: every line is cut into its key (name, type, tags) and its numbers, the key is looked up, and the
 * numbers go to its series. Only keys not met before are understood, as text.
 */

import { isUtf8 } from 'node:buffer';
import type { SeriesStore, Slot } from '../series/series.ts';
import { Cut, LF } from './cut.ts';
import { isType, nextSample } from './head.ts';
import type { SampleType } from './head.ts';
import { KeyCache } from './key-cache.ts';
import { parseDecimal } from './number.ts';
import { Resolver } from './resolver.ts';
import type { Plan, Resolution, ResolverOptions } from './resolver.ts';
import { hashMember, Sets } from './sets.ts';
import { Tally } from './tally.ts';
import type { Reason } from './tally.ts';

export interface IngestOptions extends ResolverOptions {
  /** Longer lines are skipped, bytes. */
  readonly maxLineLength: number;
  /** Distinct keys remembered. */
  readonly cacheSize: number;
}

/** The most a socket hands over at once, bytes. */
export const longestChunk = 65_536;

/** Bytes that one line of several samples may become when each is written out by itself. */
const maxWrittenOut = 1 << 20;

const COLON = 0x3a;

export class Ingest {
  readonly tally = new Tally();
  readonly sets = new Sets();
  readonly #store: SeriesStore;
  readonly #seed: number;
  #resolver: Resolver;
  #plans: readonly Plan[];
  #cache: KeyCache;
  #cut: Cut;
  #maxLineLength: number;

  /** `seed`: anything nobody outside knows. */
  constructor(options: IngestOptions, store: SeriesStore, seed: number) {
    this.#store = store;
    this.#seed = seed | 0;
    this.#resolver = new Resolver(options, store);
    this.#plans = this.#resolver.plans;
    this.#cache = new KeyCache(options.cacheSize);
    this.#cut = new Cut(options.maxLineLength + 2 * longestChunk, seed);
    this.#maxLineLength = options.maxLineLength;
  }

  /** Other options from the next line on; what was understood before is understood anew. */
  apply(options: IngestOptions): void {
    this.#resolver = new Resolver(options, this.#store);
    this.#plans = this.#resolver.plans;
    this.#cache = new KeyCache(options.cacheSize);
    this.#cut = new Cut(options.maxLineLength + 2 * longestChunk, this.#seed);
    this.#maxLineLength = options.maxLineLength;
  }

  get cache(): { readonly size: number; readonly bytes: number } {
    return this.#cache;
  }

  get resolver(): Resolver {
    return this.#resolver;
  }

  /** Takes whole lines; the last need not end in a line break. At most `maxLineLength` and 64 KiB together. */
  lines(bytes: Buffer, from: number, to: number): void {
    let lines = 0;
    for (let at = from; at < to; lines++) at = this.#line(bytes, at, to);
    this.tally.lines += lines;
  }

  /** A minute is over: see `Sets`. */
  turnSets(): void {
    const store = this.#store;
    this.sets.turn(
      (slot, generation) => store.generation(slot) === generation,
      (slot, value) => store.set(slot, value),
    );
  }

  /** Takes one line and returns where the next begins. */
  #line(bytes: Buffer, from: number, to: number): number {
    const cut = this.#cut;
    if (!cut.line(bytes, from, to)) return this.#unusual(bytes, from, to);
    if (cut.end - from > this.#maxLineLength) return this.#fail('line-too-long', cut.end);
    const cache = this.#cache;
    const way = cache.find(cut.key, cut.length, cut.hash);
    if (way !== -1) {
      const plan = this.#plans[cache.plans[way] as number] as Plan;
      const slot = cache.slots[way] as number;
      if (cache.generations[way] === this.#generation(plan, slot)) {
        this.#take(plan, slot, bytes);
        return cut.end + 1;
      }
    }
    return this.#understand(bytes, from, way);
  }

  /** What a remembered verdict must still carry to be believed. */
  #generation(plan: Plan, slot: Slot): number {
    if (plan.kindAt !== -1) return this.#store.generation(slot) >>> 0;
    return plan.mayChange ? this.#store.forgotten >>> 0 : 0;
  }

  /** The line at hand has a key not met before, or one whose series was forgotten. */
  #understand(bytes: Buffer, from: number, way: number): number {
    const cut = this.#cut;
    const { end } = cut;
    this.tally.cacheMisses += 1;
    if (!isUtf8(bytes.subarray(from, end))) return this.#fail('not-utf8', end);
    const text = Buffer.from(cut.key.buffer, 0, cut.length).toString('utf8');
    if (text.startsWith('_e{')) {
      this.tally.events += 1;
      return end + 1;
    }
    const [name = '', ...parts] = text.split('|');
    if (!text.includes('|#')) {
      const body = bytes.toString('utf8', cut.valueFrom, end);
      const second = nextSample(body, 0);
      if (second !== -1) return this.#samples(name, body, second, end);
    }
    const [type] = parts;
    // Nothing is opened for a line that has nothing to say.
    if (type !== undefined && isType(type) && !this.#hasValue(type, bytes)) return end + 1;
    const resolution = this.#resolver.resolve(name, parts);
    this.#remember(resolution, way);
    this.#take(resolution.plan, resolution.slot, bytes);
    return end + 1;
  }

  /** Whether any value of the line at hand can be taken; counts why not. */
  #hasValue(type: SampleType, bytes: Buffer): boolean {
    const { valueFrom, valueTo } = this.#cut;
    if (type === 's' && valueFrom < valueTo) return true;
    const values = bytes.toString('latin1', valueFrom, valueTo).split(':');
    let from = valueFrom;
    const failures: Reason[] = [];
    for (const { length } of values) {
      const number = parseDecimal(bytes, from, from + length);
      if (Number.isNaN(number)) failures.push('bad-value');
      else if (type === 'c' && number < 0) failures.push('negative-counter');
      else return true;
      from += length + 1;
    }
    for (const failure of failures) this.tally.failed(failure);
    return false;
  }

  #remember({ plan, slot }: Resolution, known: number): void {
    const cache = this.#cache;
    const { key, length, hash } = this.#cut;
    if (plan.index === -1) return;
    const way = known === -1 ? cache.insert(key, length, hash) : known;
    if (way === -1) return;
    cache.plans[way] = plan.index;
    cache.slots[way] = slot;
    cache.generations[way] = this.#generation(plan, slot);
  }

  /** etsy's several samples in a line, each as a line of its own. */
  #samples(name: string, body: string, second: number, end: number): number {
    const samples: string[] = [];
    let from = 0;
    for (let next = second; next !== -1; next = nextSample(body, from)) {
      samples.push(body.slice(from, next - 1));
      from = next;
    }
    samples.push(body.slice(from));
    if (name.length * samples.length > maxWrittenOut) return this.#fail('line-too-long', end);
    for (const sample of samples) {
      const line = Buffer.from(`${name}:${sample}`);
      this.#line(line, 0, line.length);
    }
    return end + 1;
  }

  /** Gives the numbers of the line at hand to its series. */
  #take(plan: Plan, slot: Slot, bytes: Buffer): void {
    const { tally } = this;
    if (plan.badTags > 0) tally.failed('bad-tag', plan.badTags);
    if (plan.mappingAt !== -1) (tally.mapping[plan.mappingAt] as number)++;
    if (plan.reason !== undefined) return tally.failed(plan.reason);
    if (plan.kindAt === -1) return;
    const { rateFrom, valueFrom, valueTo, isPacked } = this.#cut;
    const weight = rateFrom === 0 ? 1 : this.#weight(bytes);
    if (plan.action === 'set') return this.#member(plan, slot, bytes);
    if (!isPacked) return this.#value(plan, slot, bytes, valueFrom, valueTo, weight);
    let from = valueFrom;
    while (from <= valueTo) {
      const colon = bytes.indexOf(COLON, from);
      const to = colon === -1 || colon > valueTo ? valueTo : colon;
      this.#value(plan, slot, bytes, from, to, weight);
      from = to + 1;
    }
  }

  #value(plan: Plan, slot: Slot, bytes: Buffer, from: number, to: number, weight: number): void {
    const number = parseDecimal(bytes, from, to);
    // Not a number: nothing else is unequal to itself.
    if (number !== number) return this.tally.failed('bad-value');
    const value = (number / plan.divisor) * plan.scale;
    // Too large together with its rate or scale: one infinity would spoil a counter or a sum for good.
    if (!Number.isFinite(value * weight)) return this.tally.failed('bad-value');
    const store = this.#store;
    switch (plan.action) {
      case 'counter':
        if (value < 0) return this.tally.failed('negative-counter');
        store.add(slot, value * weight);
        break;
      case 'gauge':
        if (isSign(bytes[from] as number)) store.adjust(slot, value);
        else store.set(slot, value);
        break;
      default:
        store.observe(slot, value, weight);
    }
    (this.tally.samples[plan.kindAt] as number)++;
  }

  /** 1/rate. A rate that cannot be is an error, but the sample still happened: it counts once. */
  #weight(bytes: Buffer): number {
    const { rateFrom, rateTo } = this.#cut;
    const rate = parseDecimal(bytes, rateFrom, rateTo);
    if (rate > 0 && rate <= 1) return 1 / rate;
    this.tally.failed('bad-rate');
    return 1;
  }

  #member(plan: Plan, slot: Slot, bytes: Buffer): void {
    const { valueFrom, valueTo } = this.#cut;
    if (valueFrom === valueTo) return this.tally.failed('bad-value');
    const hash = hashMember(bytes, valueFrom, valueTo, this.#seed);
    const shown = this.sets.add(slot, this.#store.generation(slot), hash);
    if (shown === -1) return this.tally.failed('set-limit');
    if (shown !== undefined) this.#store.set(slot, shown);
    (this.tally.samples[plan.kindAt] as number)++;
  }

  /** A line without `NAME:VALUE|`: empty, a service check, or nothing that is known. */
  #unusual(bytes: Buffer, from: number, to: number): number {
    const lineBreak = bytes.indexOf(LF, from);
    const end = lineBreak === -1 || lineBreak > to ? to : lineBreak;
    const line = bytes.subarray(from, end);
    const text = line.toString('latin1', 0, Math.min(line.length, 16)).trim();
    if (text === '') this.tally.lines -= 1;
    else if (line.length > this.#maxLineLength) this.tally.failed('line-too-long');
    else if (text.startsWith('_sc|')) this.tally.serviceChecks += 1;
    else this.tally.failed(isUtf8(line) ? 'malformed' : 'not-utf8');
    return end + 1;
  }

  #fail(reason: Reason, end: number): number {
    this.tally.failed(reason);
    return end + 1;
  }
}

function isSign(byte: number): boolean {
  return byte === 0x2b || byte === 0x2d;
}
