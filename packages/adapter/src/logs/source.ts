/**
 * Log files as a source. Lines are counted when they are written, not when the page is read; what the page asks is only
 * whether there is a file to read, and what was left out since it asked last.
 */

import { parseSize } from '@outrigger/core/api';
import type { MetricsSource } from '@outrigger/core/api';
import type { Timer } from '@outrigger/core/clock';
import { describeError } from '@outrigger/core/errors';
import type { Deps } from '@outrigger/core/lifecycle';
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { compileRelabel } from '../prometheus/relabel.ts';
import { SourceError } from '../sources/source.ts';
import type { Answer, Asked, Source } from '../sources/source.ts';
import type { SeriesStore } from '../series/series.ts';
import { Counting } from './counting.ts';
import { FollowedFiles } from './files.ts';
import { readyMadeRules } from './ready-made.ts';
import { compileRule } from './rules.ts';
import type { Position } from './tail.ts';

export interface LogDeps extends Pick<Deps, 'clock' | 'log'> {
  readonly store: SeriesStore;
  /** Bounds of histograms that have none of their own, in seconds. */
  readonly timerBuckets: readonly number[];
  /** Of the source this one takes the place of, after it was closed. */
  readonly positions?: readonly Position[];
}

/** Files are looked at so often even where the kernel tells nothing (network file systems, many containers). */
export const pollMs = 250;
/** And so soon after the kernel told of a change. */
const settleMs = 10;
const shownProblems = 10;

/** `source.log` is set. Throws ADAPTER_BAD_REGEX and CONFIG_INVALID. */
export function logSource(source: MetricsSource, deps: LogDeps): LogSource {
  return new LogSource(source, deps);
}

/** What `logSource` would refuse, without reading a line. Throws as it does. */
export function checkLogSource({ log, relabel = [] }: MetricsSource, timerBuckets: readonly number[]): void {
  for (const rule of log?.rules ?? []) compileRule(rule, timerBuckets);
  compileRelabel(relabel);
}

export class LogSource implements Source {
  readonly #deps: LogDeps;
  readonly #patterns: readonly string[];
  readonly #files: FollowedFiles;
  readonly #watchers: FSWatcher[] = [];
  #dropped = new Map<string, number>();
  #timer: Timer | undefined;
  #soon: Timer | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #told = '';
  #closedAt: readonly Position[] | undefined;

  constructor(source: MetricsSource, deps: LogDeps) {
    const { log, name, labels = {}, relabel = [] } = source;
    if (log === undefined) throw new Error('a log source without files');
    const onDrop = (reason: string): void => {
      this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
    };
    const rules = log.rules?.map((rule) => compileRule(rule, deps.timerBuckets));
    const counting = new Counting({
      ...{ store: deps.store, source: name, labels, relabel, format: log.format, onDrop },
      rules: rules ?? readyMadeRules(log.format, deps.timerBuckets),
    });
    this.#deps = deps;
    this.#patterns = log.files;
    this.#files = new FollowedFiles({
      patterns: log.files,
      fromStart: log.fromStart,
      maxLineBytes: parseSize(log.maxLineLength) ?? 65_536,
      clock: deps.clock,
      onLine: (line) => counting.line(line),
      onDrop,
      positions: deps.positions ?? [],
    });
    this.#watch();
    void this.poll();
  }

  /** Where reading stopped; for the source that takes this one's place, after this one was closed. */
  get positions(): readonly Position[] {
    return this.#closedAt ?? this.#files.positions;
  }

  /** Reads what there is now; resolves when it is counted. Never rejects. */
  poll(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  /** What was written before the page was asked for is on it. */
  async collect({ signal }: Asked): Promise<Answer> {
    await Promise.race([this.poll(), aborted(signal)]);
    const problems = this.#problems();
    if (problems !== '') throw new SourceError('unreachable', problems);
    if (this.#files.open === 0) {
      const text = `there is no file ${this.#patterns.join(' or ')} yet; waiting for it`;
      throw new SourceError('no-endpoint', text);
    }
    const dropped = Object.fromEntries(this.#dropped);
    this.#dropped = new Map();
    return { families: [], dropped };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#soon?.cancel();
    for (const watcher of this.#watchers) watcher.close();
    await this.#running;
    this.#closedAt = this.#files.positions;
    await this.#files.close();
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        if (await this.#files.pass()) this.#again = true;
      } catch (error) {
        this.#deps.log.error('log files could not be read', { problem: describeError(error) });
      }
    }
    this.#running = undefined;
    this.#tell();
    this.#soon?.cancel();
    this.#soon = undefined;
    this.#timer?.cancel();
    if (!this.#closed) this.#timer = this.#deps.clock.setTimeout(() => void this.poll(), pollMs);
  }

  /** Files that change all the time are not looked at for each change. */
  #changed(): void {
    if (this.#running !== undefined || this.#closed) return;
    this.#soon ??= this.#deps.clock.setTimeout(() => void this.poll(), settleMs);
  }

  /** The first of them; '' when there are none. */
  #problems(): string {
    const all = [...this.#files.problems].map(([path, why]) => `${path}: ${why}`);
    const more = all.length > shownProblems ? [`and ${all.length - shownProblems} more`] : [];
    return [...all.slice(0, shownProblems), ...more].join('; ');
  }

  /** A problem is told once, when it begins. */
  #tell(): void {
    const text = this.#problems();
    if (text !== this.#told && text !== '') this.#deps.log.warn('log files are not read', { problem: text });
    this.#told = text;
  }

  /** Sooner than the next poll. Where it cannot be had the poll is enough. */
  #watch(): void {
    for (const folder of new Set(this.#patterns.map((pattern) => dirname(pattern)))) {
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#changed());
        watcher.on('error', () => watcher.close());
        this.#watchers.push(watcher);
      } catch (error) {
        this.#deps.log.debug('folder is polled only', { folder, problem: describeError(error) });
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
