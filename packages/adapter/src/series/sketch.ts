/**
 * Quantiles of the last minutes, in bounded memory: DDSketch per age.
 *
 * A value falls into the bin of its logarithm, so that any quantile is right within 1 % of its value, and weights are
 * simply added. Sketches of consecutive spans are kept side by side; a query adds those still young enough, and the
 * oldest is emptied for what comes next. When values spread over more bins than a sketch may have, the smallest share
 * one bin: the high quantiles, which people ask for, stay exact.
 */

const accuracy = 0.01;
const ratio = (1 + accuracy) / (1 - accuracy);
const logRatio = Math.log(ratio);

/** Bins of one sketch: values up to 28,000 times the smallest keep their accuracy. */
const mostBins = 512;

/** Smaller values are zero. */
const smallest = 1e-9;

/** Bins of values of one sign. */
class Bins {
  #counts = new Float64Array(0);
  /** The index of the first bin kept. */
  #first = 0;

  add(index: number, weight: number): void {
    const counts = this.#counts;
    const at = index - this.#first;
    if (at >= 0 && at < counts.length) counts[at] = (counts[at] ?? 0) + weight;
    else this.#widen(index, weight);
  }

  clear(): void {
    this.#counts.fill(0);
  }

  /** Bins that hold something, ascending. */
  *entries(): Generator<readonly [index: number, weight: number]> {
    for (let i = 0; i < this.#counts.length; i++) {
      const weight = this.#counts[i] ?? 0;
      if (weight > 0) yield [this.#first + i, weight];
    }
  }

  #widen(index: number, weight: number): void {
    const held = [...this.entries()];
    const last = Math.max(index, held.at(-1)?.[0] ?? index);
    const first = Math.max(Math.min(index, held[0]?.[0] ?? index) - 4, last - mostBins + 1);
    this.#first = first;
    this.#counts = new Float64Array(Math.min(last - first + 5, mostBins));
    for (const [at, amount] of [...held, [index, weight] as const]) {
      const place = Math.max(at, first) - first;
      this.#counts[place] = (this.#counts[place] ?? 0) + amount;
    }
  }
}

class Sketch {
  readonly positive = new Bins();
  #negative: Bins | undefined;
  zeros = 0;
  weight = 0;

  add(value: number, weight: number): void {
    this.weight += weight;
    if (value > smallest) this.positive.add(Math.ceil(Math.log(value) / logRatio), weight);
    else if (value < -smallest)
      (this.#negative ??= new Bins()).add(Math.ceil(Math.log(-value) / logRatio), weight);
    else this.zeros += weight;
  }

  get negative(): Bins | undefined {
    return this.#negative;
  }

  clear(): void {
    this.positive.clear();
    this.#negative?.clear();
    this.zeros = 0;
    this.weight = 0;
  }
}

export class SlidingSketch {
  readonly #sketches: readonly Sketch[];
  readonly #ages: number;
  readonly #spanSeconds: number;
  #head = 0;
  /** The span the head stands for: seconds divided by their length. */
  #span: number;

  constructor(maxAgeMs: number, ageBuckets: number, nowSeconds: number) {
    this.#ages = Math.max(1, Math.min(ageBuckets, 16));
    this.#sketches = Array.from({ length: this.#ages }, () => new Sketch());
    this.#spanSeconds = Math.max(1, maxAgeMs / 1000) / this.#ages;
    this.#span = Math.floor(nowSeconds / this.#spanSeconds);
  }

  add(value: number, weight: number, nowSeconds: number): void {
    this.#turnTo(nowSeconds);
    this.#sketches[this.#head]?.add(value, weight);
  }

  /** The values of the quantiles, in their order; NaN when nothing was told for so long. */
  quantiles(wanted: readonly number[], nowSeconds: number): number[] {
    this.#turnTo(nowSeconds);
    const total = this.#sketches.reduce((sum, sketch) => sum + sketch.weight, 0);
    if (total === 0) return wanted.map(() => Number.NaN);
    const ascending = this.#merged();
    return wanted.map((quantile) => valueAt(ascending, quantile * total));
  }

  #merged(): (readonly [value: number, weight: number])[] {
    const negative = new Map<number, number>();
    const positive = new Map<number, number>();
    let zeros = 0;
    for (const sketch of this.#sketches) {
      zeros += sketch.zeros;
      for (const [index, weight] of sketch.positive.entries())
        positive.set(index, (positive.get(index) ?? 0) + weight);
      for (const [index, weight] of sketch.negative?.entries() ?? [])
        negative.set(index, (negative.get(index) ?? 0) + weight);
    }
    return [
      ...[...negative].sort(([a], [b]) => b - a).map(([index, w]) => [-middleOf(index), w] as const),
      ...(zeros > 0 ? [[0, zeros] as const] : []),
      ...[...positive].sort(([a], [b]) => a - b).map(([index, w]) => [middleOf(index), w] as const),
    ];
  }

  #turnTo(nowSeconds: number): void {
    const span = Math.floor(nowSeconds / this.#spanSeconds);
    const turns = Math.min(span - this.#span, this.#ages);
    if (turns <= 0) return;
    this.#span = span;
    for (let i = 0; i < turns; i++) {
      this.#head = (this.#head + 1) % this.#ages;
      this.#sketches[this.#head]?.clear();
    }
  }
}

/** The value whose error is smallest towards both ends of the bin. */
function middleOf(index: number): number {
  return (2 * ratio ** index) / (ratio + 1);
}

function valueAt(ascending: readonly (readonly [number, number])[], rank: number): number {
  let below = 0;
  for (const [value, weight] of ascending) {
    below += weight;
    if (below >= rank && below > 0) return value;
  }
  return ascending.at(-1)?.[0] ?? Number.NaN;
}
