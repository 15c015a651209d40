/**
 * The configured sources, as they are now: one asked source per place. A reload touches only those that changed, and
 * makes all new ones before it ends an old one.
 */

import { parseDuration } from '@outrigger/core/api';
import type { MetricsSource } from '@outrigger/core/api';
import { describeError } from '@outrigger/core/errors';
import type { WatchService } from '@outrigger/core/watch';
import { checkLogSource } from '../logs/source.ts';
import { AskedSource } from '../page/ask.ts';
import { shapeOf } from '../page/shape.ts';
import { followPlaces } from '../places/follow.ts';
import type { Places } from '../places/follow.ts';
import { withPatience } from '../places/patience.ts';
import type { Prepared } from '../prepared.ts';
import type { SeriesRegistry } from '../series/registry.ts';
import { SourceError } from '../sources/source.ts';
import type { Place, Source } from '../sources/source.ts';
import { addressOf, kindOf, loadKind } from './kinds.ts';
import type { MakeSource, SourceContext } from './kinds.ts';

const defaultTimeoutMs = 10_000;

export interface SourcesParts {
  readonly context: SourceContext;
  readonly registry: SeriesRegistry;
  /** Undefined without a control service. */
  readonly watch: WatchService | undefined;
}

type Labels = Readonly<Record<string, string>>;

export class Sources {
  readonly #parts: SourcesParts;
  #followed: readonly FollowedSource[] = [];
  /** The first sources wait for the control service, as the start does. */
  #isRunning = false;

  constructor(parts: SourcesParts) {
    this.#parts = parts;
  }

  /** In the order of the configuration. */
  get asked(): readonly AskedSource[] {
    return this.#followed.flatMap((source) => source.asked);
  }

  /** Throws what is wrong with a source. */
  async prepare(sources: readonly MetricsSource[], labels: Labels): Promise<Prepared> {
    const next: FollowedSource[] = [];
    const made: FollowedSource[] = [];
    const { watch, context } = this.#parts;
    const isPatient = watch === undefined || !this.#isRunning;
    const parts = isPatient
      ? this.#parts
      : { ...this.#parts, watch: withPatience(watch, context.deps.clock) };
    try {
      for (const source of sources) {
        const key = JSON.stringify([source, labels]);
        const same = this.#followed.find((one) => one.key === key);
        const one = same ?? (await FollowedSource.open(source, labels, key, parts));
        if (same === undefined) made.push(one);
        next.push(one);
      }
    } catch (error) {
      await Promise.all(made.map((one) => one.close()));
      throw error;
    }
    return {
      commit: () => this.#commit(next, made),
      discard: async () => void (await Promise.all(made.map((one) => one.close()))),
    };
  }

  async #commit(next: readonly FollowedSource[], made: readonly FollowedSource[]): Promise<void> {
    const gone = this.#followed.filter((one) => !next.includes(one));
    await Promise.all(gone.map((one) => one.close()));
    for (const one of made) one.begin(gone.find(({ name }) => name === one.name)?.last);
    this.#followed = next;
    this.#isRunning = true;
    for (const { name } of gone)
      if (!next.some((one) => one.name === name)) this.#parts.registry.forgetSource(name);
  }

  /** For /debug; nothing secret. */
  describe(): readonly object[] {
    return this.#followed.flatMap((source) =>
      source.asked.map(({ options, state }) => ({
        ...{
          name: options.name,
          kind: source.kind,
          endpoint: options.endpoint,
          timeoutMs: options.timeoutMs,
        },
        ...(state === undefined ? { asked: false } : state),
      })),
    );
  }

  async close(): Promise<void> {
    const all = this.#followed;
    this.#followed = [];
    await Promise.all(all.map((one) => one.close()));
  }
}

/** One source of the configuration with its places. */
class FollowedSource {
  readonly key: string;
  readonly #source: MetricsSource;
  readonly #labels: Labels;
  readonly #makeSource: MakeSource;
  readonly #parts: SourcesParts;
  #places: Places | undefined;
  readonly #asked = new Map<Place, AskedSource>();
  /** Stands for the places while there are none. */
  readonly #nowhere: AskedSource;
  #closed = false;
  #before: Source | undefined;
  #last: Source | undefined;
  #begun = false;

  private constructor(
    source: MetricsSource,
    labels: Labels,
    key: string,
    makeSource: MakeSource,
    parts: SourcesParts,
  ) {
    this.#makeSource = makeSource;
    this.#source = source;
    this.#labels = labels;
    this.key = key;
    this.#parts = parts;
    this.#nowhere = new AskedSource(
      this.#options({ address: '', labels: {} }, this.#noPlace()),
      parts.context.deps.clock,
    );
  }

  static async open(
    source: MetricsSource,
    labels: Labels,
    key: string,
    parts: SourcesParts,
  ): Promise<FollowedSource> {
    const one = new FollowedSource(source, labels, key, await loadKind(source), parts);
    const address = addressOf(source);
    one.#places =
      address === ''
        ? { places: [{ address: '', labels: {} }], problem: '', close: () => undefined }
        : await followPlaces(address, parts.watch, () => one.#refresh());
    // A file is read by one source at a time: those that read files begin when the one before has ended. What is wrong
    // with them must be said before that.
    if (one.kind === 'log') checkLogSource(source, parts.context.timerBuckets);
    else one.begin(undefined);
    return one;
  }

  get name(): string {
    return this.#source.name;
  }

  get kind(): string {
    return kindOf(this.#source);
  }

  /** Its last source, which the next of that name may take up where it ended. */
  get last(): Source | undefined {
    return this.#last;
  }

  get asked(): readonly AskedSource[] {
    return this.#asked.size === 0 ? [this.#nowhere] : [...this.#asked.values()];
  }

  begin(before: Source | undefined): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#before = before;
    try {
      this.#follow();
    } catch (error) {
      this.#begun = false;
      this.#places?.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#places?.close();
    for (const asked of this.#asked.values()) await asked.close();
  }

  /** Called by the watch, which cannot be refused. */
  #refresh(): void {
    try {
      this.#follow();
    } catch (error) {
      const { log } = this.#parts.context.deps;
      log.error('a place of a source cannot be asked', { source: this.name, problem: describeError(error) });
    }
  }

  #follow(): void {
    if (this.#closed || !this.#begun) return;
    const places: readonly Place[] = this.#places?.places ?? [];
    for (const [place, asked] of this.#asked) {
      if (places.includes(place)) continue;
      this.#asked.delete(place);
      void this.#end(asked);
    }
    for (const place of places) if (!this.#asked.has(place)) this.#asked.set(place, this.#make(place));
  }

  async #end(asked: AskedSource): Promise<void> {
    try {
      await asked.close();
    } catch (error) {
      this.#parts.context.deps.log.warn('a source did not end well', { source: this.name, error });
    }
  }

  #make(place: Place): AskedSource {
    const { context } = this.#parts;
    const source = this.#makeSource(this.#source, place, context, this.#before);
    this.#last = source;
    return new AskedSource(this.#options(place, source), context.deps.clock);
  }

  #options(place: Place, source: Source): AskedSource['options'] {
    const { name, timeout, maxSeries } = this.#source;
    return {
      ...{ name, endpoint: shownAddress(place.address), source, maxSeries },
      shape: shapeOf(this.#source, place, this.#labels),
      timeoutMs: parseDuration(timeout) ?? defaultTimeoutMs,
    };
  }

  #noPlace(): Source {
    return {
      collect: () => {
        const problem = this.#places?.problem ?? '';
        return Promise.reject(
          new SourceError('no-endpoint', problem === '' ? 'has no endpoint yet' : problem),
        );
      },
      close: () => undefined,
    };
  }
}

/** Without the query, which may hold a token: this is a label, and on pages that anybody reads. */
function shownAddress(address: string): string {
  return address.replace(/[?#].*$/s, '');
}
