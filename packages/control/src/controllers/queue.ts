/**
 * A work queue of keys, level-triggered: adding a key says "look at it", never what to do. A key waits once however
 * often it is added, is worked on by one worker at a time, and once more if it is added meanwhile.
 *
 * An idle key starts at once, so that one change has no delay. After a run the key rests for as long as the run asks,
 * and everything added during the rest makes one run at its end: that bounds writes under load. After a failure it rests
 * for a time that doubles each time, and is run again.
 */

import { jitter } from '@outrigger/core/clock';
import type { Clock, Random, Timer } from '@outrigger/core/clock';

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly concurrency: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  /** Brings one key to its desired state; answers for how many ms the key shall rest. */
  readonly run: (key: string) => Promise<number>;
  readonly onError: (key: string, error: unknown) => void;
}

interface Entry {
  state: 'ready' | 'running' | 'resting';
  /** Added again since its run began. */
  dirty: boolean;
  failures: number;
  timer: Timer | undefined;
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #entries = new Map<string, Entry>();
  /** In the order in which they will be run. */
  readonly #ready = new Set<string>();
  readonly #delayed = new Map<string, Timer>();
  readonly #running = new Set<Promise<void>>();
  #started = false;
  #closed = false;
  #pumping = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys waiting, running or to be run when their rest ends. */
  get depth(): number {
    let depth = this.#delayed.size;
    for (const { state, dirty } of this.#entries.values()) if (state !== 'resting' || dirty) depth += 1;
    return depth;
  }

  add(key: string): void {
    if (this.#closed) return;
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, { state: 'ready', dirty: false, failures: 0, timer: undefined });
      this.#ready.add(key);
      this.#pump();
    } else if (entry.state !== 'ready') {
      entry.dirty = true;
    }
  }

  /** Adds later. A key that is to be added later already keeps its time: it could be put off for ever otherwise. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed || this.#delayed.has(key)) return;
    const timer = this.#options.clock.setTimeout(() => {
      this.#delayed.delete(key);
      this.add(key);
    }, delayMs);
    this.#delayed.set(key, timer);
  }

  /** Nothing is run before this: what is added until then waits. */
  start(): void {
    this.#started = true;
    this.#pump();
  }

  /** Forgets everything that waits, and resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#delayed.values()) timer.cancel();
    for (const { timer } of this.#entries.values()) timer?.cancel();
    this.#delayed.clear();
    this.#ready.clear();
    await Promise.all(this.#running);
    this.#entries.clear();
  }

  /** Starts runs behind the events at hand, so that a batch of them makes one run per key. */
  #pump(): void {
    if (this.#pumping || !this.#started) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      for (const key of this.#ready) {
        if (this.#running.size >= this.#options.concurrency) break;
        this.#ready.delete(key);
        const run = this.#run(key).finally(() => {
          this.#running.delete(run);
          this.#pump();
        });
        this.#running.add(run);
      }
    });
  }

  async #run(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.state = 'running';
    entry.dirty = false;
    let restMs: number;
    try {
      restMs = await this.#options.run(key);
      entry.failures = 0;
    } catch (error) {
      entry.dirty = true;
      entry.failures += 1;
      restMs = this.#backOffMs(entry.failures);
      this.#options.onError(key, error);
    }
    this.#rest(key, entry, restMs);
  }

  #rest(key: string, entry: Entry, restMs: number): void {
    if (this.#closed) return;
    if (restMs <= 0) {
      this.#wake(key, entry);
      return;
    }
    entry.state = 'resting';
    entry.timer = this.#options.clock.setTimeout(() => this.#wake(key, entry), restMs);
  }

  #wake(key: string, entry: Entry): void {
    entry.timer = undefined;
    if (!entry.dirty) {
      this.#entries.delete(key);
      return;
    }
    entry.state = 'ready';
    entry.dirty = false;
    this.#ready.add(key);
    this.#pump();
  }

  #backOffMs(failures: number): number {
    const { retryBaseMs, retryMaxMs, random } = this.#options;
    return Math.min(retryMaxMs, jitter(retryBaseMs * 2 ** Math.min(failures - 1, 30), 0.2, random));
  }
}
