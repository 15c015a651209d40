/**
 * The collected series: what other programs told us, kept until asked for.
 *
 * Hundreds of thousands of series, updated hundreds of thousands of times a second, read once in some seconds by a page
 * that must not stop the updates. So a series is an index into columns of numbers, and its names are kept once, as the
 * bytes the page is made of (arena.ts). A name has one type: a sample that contradicts it is refused, because two types
 * under one name would break the whole scrape. Forgotten series leave their slot to others, under a new generation.
 */

import type { Clock } from '@outrigger/core/clock';
import type { LabelPairs } from '@outrigger/core/exposition';
import { Accounts } from './accounts.ts';
import type { RefusedCount } from './accounts.ts';
import { Arena, hashOf } from './arena.ts';
import { BucketCells, bucketOf } from './cells.ts';
import { Columns, none } from './columns.ts';
import { newFamily, ownedSuffixes, suffixesOf } from './family.ts';
import type { StoredFamily } from './family.ts';
import { ownPrefix, refusals } from './series.ts';
import type { Refusal, SeriesSpec, SeriesStore, Slot } from './series.ts';
import { SlidingSketch } from './sketch.ts';
import { ownText, restText } from './text.ts';

export interface RegistryOptions {
  /** Series kept; those that would be more are refused. */
  readonly maxSeries: number;
  /** Series kept of one source, for sources that have a limit of their own. */
  readonly maxSeriesOf?: Readonly<Record<string, number>>;
  /** Labels on every series; a series' own label of the same name wins. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A series' names may not take more bytes: a source that sends novels for labels fills no memory. */
const maxTextBytes = 16 * 1024;

/** Bytes of names per series allowed, on average: with 100,000 series 50 MiB in all. */
const meanTextBytes = 512;

/** Room is set aside for as many series as are allowed, but for no more than these. */
const mostExpected = 1 << 17;

/** Bytes of names per series that room is set aside for. */
const usualTextBytes = 96;

/** Series forgotten at a time: some milliseconds. */
const mostForgotten = 4096;

export class SeriesRegistry implements SeriesStore {
  readonly columns: Columns;
  readonly arena: Arena;
  readonly cells = new BucketCells();
  readonly #clock: Clock;
  #options: RegistryOptions;
  #common: LabelPairs;
  readonly #families = new Map<string, StoredFamily>();
  readonly #byId: (StoredFamily | undefined)[] = [];
  readonly #freeIds: number[] = [];
  readonly #sketches: (SlidingSketch | undefined)[] = [];
  readonly #freeSketches: number[] = [];
  readonly #accounts = new Accounts();
  readonly #text = Buffer.allocUnsafeSlow(maxTextBytes * 4);
  readonly #leaving = new Set<number>();
  /** Slots looked at by the sweep under way. */
  #swept = 0;
  #size = 0;
  #forgotten = 0;
  #seconds: number;
  /** Pages under way: while there are any, nothing is forgotten, so that none shows half a family. */
  #readers = 0;
  readonly #all = () => this.#slots();

  constructor(options: RegistryOptions, clock: Clock) {
    this.#clock = clock;
    this.#options = options;
    const expected = Math.min(options.maxSeries, mostExpected);
    this.columns = new Columns(expected);
    this.arena = new Arena(this.columns, expected * usualTextBytes);
    this.#common = pairs(options.labels);
    this.#seconds = secondsOf(clock);
  }

  /** New limits and labels. Series already kept stay, with the new labels. */
  configure(options: RegistryOptions): void {
    const common = pairs(options.labels);
    const changed = JSON.stringify(common) !== JSON.stringify(this.#common);
    this.#options = options;
    this.#common = common;
    if (changed) this.#rewrite();
  }

  get size(): number {
    return this.#size;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  generation(slot: Slot): number {
    return this.columns.generation[slot] ?? 0;
  }

  open(spec: SeriesSpec): Slot {
    const length = this.#writeOwn(spec);
    const hash = hashOf(this.#text, length);
    const slot = this.#find(length, hash);
    if (slot >= 0 && this.familyOf(slot).type === spec.type) {
      this.columns.ttl[slot] = Math.ceil(spec.ttlMs / 1000);
      this.columns.touched[slot] = this.#seconds;
      return slot;
    }
    const refusal = this.#refusal(spec, length);
    if (refusal === undefined) return this.#make(spec, length, hash);
    this.#accounts.refuse(spec.source, refusal);
    return -1 - refusals.indexOf(refusal);
  }

  wouldRefuse(spec: SeriesSpec): Refusal | undefined {
    const length = this.#writeOwn(spec);
    const slot = this.#find(length, hashOf(this.#text, length));
    if (slot >= 0 && this.familyOf(slot).type === spec.type) return undefined;
    return this.#refusal(spec, length);
  }

  add(slot: Slot, amount: number): void {
    const { values, touched } = this.columns;
    values[slot] = (values[slot] ?? 0) + amount;
    touched[slot] = this.#seconds;
  }

  set(slot: Slot, value: number): void {
    this.columns.values[slot] = value;
    this.columns.touched[slot] = this.#seconds;
  }

  adjust(slot: Slot, delta: number): void {
    this.add(slot, delta);
  }

  observe(slot: Slot, value: number, weight: number): void {
    const family = this.familyOf(slot);
    this.add(slot, value * weight);
    const first = this.columns.extra[slot] ?? 0;
    const { values } = this.cells;
    if (family.type === 'summary') {
      values[first] = (values[first] ?? 0) + weight;
      this.sketchOf(slot).add(value, weight, this.#seconds);
    } else {
      const bucket = first + bucketOf(family.bounds, value);
      values[bucket] = (values[bucket] ?? 0) + weight;
    }
  }

  /** Whether a sample with exactly these names is kept here; for those who merge other samples into the page. */
  has(name: string, labels: LabelPairs): boolean {
    const common = new Map(this.#common);
    const own = labels.filter(([label, value]) => common.get(label) !== value);
    return this.#isKept(name, labels) || (own.length < labels.length && this.#isKept(name, own));
  }

  family(name: string): StoredFamily | undefined {
    return this.#families.get(name);
  }

  /** In the order in which their names were first told. */
  families(): Iterable<StoredFamily> {
    return this.#families.values();
  }

  familyOf(slot: Slot): StoredFamily {
    const family = this.#byId[this.columns.family[slot] ?? 0];
    if (family === undefined) throw new TypeError(`slot ${slot} holds no series`);
    return family;
  }

  /** Summaries only. */
  sketchOf(slot: Slot): SlidingSketch {
    const at = this.cells.values[(this.columns.extra[slot] ?? 0) + 1] ?? 0;
    const sketch = this.#sketches[at];
    if (sketch === undefined) throw new TypeError(`slot ${slot} holds no summary`);
    return sketch;
  }

  /** Seconds of the clock at the last sweep: what ages are measured against. */
  get seconds(): number {
    return this.#seconds;
  }

  seriesOf(source: string): number {
    return this.#accounts.seriesOf(source);
  }

  refused(): Iterable<RefusedCount> {
    return this.#accounts.refused();
  }

  /** Holds everything in place while a page is written. Call what it returns exactly once. */
  hold(): () => void {
    this.#readers += 1;
    return () => {
      this.#readers -= 1;
    };
  }

  /**
   * Forgets what was not told for its time to live, some thousand series at a time. To be called every second, and
   * soon again while it answers true. Looks at one number per series.
   */
  sweep(): boolean {
    this.#seconds = secondsOf(this.#clock);
    if (this.#readers > 0) return false;
    const { textLength, end } = this.columns;
    for (let left = mostForgotten; this.#swept < end; this.#swept++) {
      if ((textLength[this.#swept] ?? 0) === 0 || !this.#isOver(this.#swept)) continue;
      if (left-- === 0) return true;
      this.#forget(this.#swept);
    }
    this.#swept = 0;
    this.#leaving.clear();
    return false;
  }

  /** All series of a source that is no more are forgotten with the next sweep. */
  forgetSource(source: string): void {
    this.#leaving.add(this.#accounts.idOf(source));
    this.#swept = 0;
  }

  #isOver(slot: Slot): boolean {
    const { ttl, touched, source } = this.columns;
    const kept = ttl[slot] ?? 0;
    if (kept > 0 && (touched[slot] ?? 0) + kept < this.#seconds) return true;
    return this.#leaving.size > 0 && this.#leaving.has(source[slot] ?? 0);
  }

  #isKept(name: string, labels: LabelPairs): boolean {
    const own = ownText(name, labels);
    if (own.length > maxTextBytes) return false;
    const length = this.#text.write(own, 'utf8');
    return this.#find(length, hashOf(this.#text, length)) >= 0;
  }

  /** Puts the name and labels of the spec into `#text`; -1: they are too long. */
  #writeOwn(spec: SeriesSpec): number {
    const own = ownText(spec.name, spec.labels);
    if (own.length > maxTextBytes) return -1;
    const length = this.#text.write(own, 'utf8');
    return length > maxTextBytes ? -1 : length;
  }

  #find(length: number, hash: number): number {
    return this.arena.find(this.#text, length, hash);
  }

  #refusal(spec: SeriesSpec, length: number): Refusal | undefined {
    const family = this.#families.get(spec.name);
    if (family === undefined ? this.#isOwned(spec) : family.type !== spec.type)
      return family === undefined ? 'name-conflict' : 'type-conflict';
    const { maxSeries, maxSeriesOf } = this.#options;
    if (length === -1 || this.#size >= maxSeries) return 'series-limit';
    if (this.arena.live > Math.max(1 << 20, maxSeries * meanTextBytes)) return 'series-limit';
    const most = maxSeriesOf?.[spec.source];
    return most !== undefined && this.seriesOf(spec.source) >= most ? 'source-limit' : undefined;
  }

  /** Whether the name is the adapter's, or another family writes samples of it, or this one would write another's. */
  #isOwned({ name, type }: SeriesSpec): boolean {
    if (name.startsWith(ownPrefix)) return true;
    for (const [suffix, owners] of ownedSuffixes) {
      if (!name.endsWith(suffix)) continue;
      const owner = this.#families.get(name.slice(0, -suffix.length));
      if (owner !== undefined && owners.includes(owner.type)) return true;
    }
    return suffixesOf(type).some((suffix) => this.#families.has(name + suffix));
  }

  #make(spec: SeriesSpec, length: number, hash: number): Slot {
    const { columns } = this;
    const family = this.#families.get(spec.name) ?? this.#makeFamily(spec);
    const slot = columns.take();
    columns.values[slot] = 0;
    columns.created[slot] = this.#clock.wall() / 1000;
    columns.touched[slot] = this.#seconds;
    columns.ttl[slot] = Math.ceil(spec.ttlMs / 1000);
    columns.hash[slot] = hash;
    columns.family[slot] = family.id;
    columns.source[slot] = this.#accounts.idOf(spec.source);
    columns.ownLength[slot] = length;
    columns.extra[slot] = this.#makeExtra(family);
    columns.textLength[slot] = 0;
    const rest = restText(ownText(spec.name, spec.labels), spec.name, this.#common);
    const whole = length + this.#text.write(rest, length, 'utf8');
    this.arena.put(slot, this.#text, whole, this.#all);
    this.arena.index(slot, this.#all);
    this.#link(family, slot);
    this.#size += 1;
    return slot;
  }

  #makeFamily(spec: SeriesSpec): StoredFamily {
    const family = newFamily(this.#freeIds.pop() ?? this.#byId.length, spec);
    this.#byId[family.id] = family;
    this.#families.set(family.name, family);
    return family;
  }

  #makeExtra(family: StoredFamily): number {
    if (family.type === 'histogram') return this.cells.take(family.bounds.length + 1);
    if (family.summary === undefined) return none;
    const at = this.#freeSketches.pop() ?? this.#sketches.length;
    const { maxAgeMs, ageBuckets } = family.summary;
    this.#sketches[at] = new SlidingSketch(maxAgeMs, ageBuckets, this.#seconds);
    const first = this.cells.take(2);
    this.cells.values[first + 1] = at;
    return first;
  }

  #link(family: StoredFamily, slot: number): void {
    const { next, previous } = this.columns;
    next[slot] = none;
    previous[slot] = family.tail;
    if (family.tail === none) family.head = slot;
    else next[family.tail] = slot;
    family.tail = slot;
    family.count += 1;
    this.#accounts.count(this.columns.source[slot] ?? 0, 1);
  }

  #forget(slot: number): void {
    const { columns } = this;
    const family = this.familyOf(slot);
    this.arena.remove(slot);
    const { next, previous } = columns;
    const before = previous[slot] ?? none;
    const after = next[slot] ?? none;
    if (before === none) family.head = after;
    else next[before] = after;
    if (after === none) family.tail = before;
    else previous[after] = before;
    family.count -= 1;
    this.#releaseExtra(family, columns.extra[slot] ?? none);
    if (family.count === 0) this.#removeFamily(family);
    this.#accounts.count(columns.source[slot] ?? 0, -1);
    columns.give(slot);
    this.#size -= 1;
    this.#forgotten += 1;
  }

  #releaseExtra(family: StoredFamily, first: number): void {
    if (family.type === 'histogram') this.cells.give(first, family.bounds.length + 1);
    if (family.type !== 'summary') return;
    const at = this.cells.values[first + 1] ?? 0;
    this.#sketches[at] = undefined;
    this.#freeSketches.push(at);
    this.cells.give(first, 2);
  }

  #removeFamily(family: StoredFamily): void {
    this.#families.delete(family.name);
    this.#byId[family.id] = undefined;
    this.#freeIds.push(family.id);
  }

  /** Gives every series its text anew, with the labels all have now. */
  #rewrite(): void {
    const { ownLength, textAt } = this.columns;
    for (const slot of this.#slots()) {
      const length = ownLength[slot] ?? 0;
      const start = textAt[slot] ?? 0;
      this.arena.bytes.copy(this.#text, 0, start, start + length);
      const own = this.#text.toString('utf8', 0, length);
      const whole = length + this.#text.write(restText(own, this.familyOf(slot).name, this.#common), length);
      this.arena.drop(slot);
      this.arena.put(slot, this.#text, whole, this.#all);
    }
  }

  *#slots(): Generator<number> {
    const { next } = this.columns;
    for (const family of this.#families.values()) {
      for (let slot = family.head; slot !== none; slot = next[slot] ?? none) yield slot;
    }
  }
}

function pairs(labels: Readonly<Record<string, string>>): LabelPairs {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}

function secondsOf(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}
