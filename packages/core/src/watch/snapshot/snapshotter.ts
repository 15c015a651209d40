/** Keeps the state directory's snapshot close to what the daemon knows, without writing all the time. */

import { join } from 'node:path';
import type { Clock } from '../../clock/index.ts';
import { errorCode } from '../../errors/index.ts';
import { Dirty } from '../../lifecycle/index.ts';
import type { Logger } from '../../log/index.ts';
import type { WatchMetrics } from '../metrics.ts';
import { readIfThere, writeAtomically } from './file.ts';
import { decodeSnapshot, encodeSnapshot } from './format.ts';
import type { Section, Snapshot } from './format.ts';

/** Least time between two snapshots. Longer saves writing; a restart begins from an older state. */
const minIntervalMs = 10_000;

export interface SnapshotterOptions {
  readonly stateDir: string;
  readonly role: string;
  /** What to save now; undefined: better not now (`mark` comes again). */
  readonly sections: () => readonly Section[] | undefined;
  readonly metrics: WatchMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Snapshotter {
  readonly file: string;
  readonly #options: SnapshotterOptions;
  readonly #dirty: Dirty;
  #writing: Promise<void> = Promise.resolve();
  #unsaved = false;
  #savedAt: number | undefined;
  #failing: string | undefined;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
    this.file = join(options.stateDir, `${options.role}.snapshot`);
    this.#dirty = new Dirty({
      clock: options.clock,
      run: () => this.save(),
      onError: (error) => options.log.error('snapshot run failed', { error }),
      minIntervalMs,
    });
  }

  /** Monotonic ms of the last one written by this process. */
  get savedAt(): number | undefined {
    return this.#savedAt;
  }

  /** The snapshot on disk; undefined without one, or when it is refused: said in the log and counted. */
  async load(): Promise<Snapshot | undefined> {
    const { role, clock, log } = this.#options;
    try {
      const content = await readIfThere(this.file);
      if (content === undefined) return undefined;
      const snapshot = decodeSnapshot(content, role, this.file);
      const records = snapshot.sections.reduce((sum, { held }) => sum + held.length, 0);
      log.info('snapshot loaded', { file: this.file, records, ageMs: clock.wall() - snapshot.savedAt });
      return snapshot;
    } catch (error) {
      this.#failed('refused', error, 'snapshot refused, starting without it');
      return undefined;
    }
  }

  /** Something changed that is worth saving. */
  mark(): void {
    this.#unsaved = true;
    this.#dirty.mark();
  }

  /** Writes now if something changed; never rejects. Runs one after the other. */
  save(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#save());
    return this.#writing;
  }

  /** No more by itself; `save` still works. */
  close(): void {
    this.#dirty.close();
  }

  async #save(): Promise<void> {
    const sections = this.#unsaved ? this.#options.sections() : undefined;
    if (sections === undefined) return;
    const { role, clock, metrics } = this.#options;
    this.#unsaved = false;
    try {
      await writeAtomically(this.file, encodeSnapshot({ role, savedAt: clock.wall(), sections }));
      metrics.snapshotSaves.add(1);
      this.#savedAt = clock.now();
      this.#failing = undefined;
    } catch (error) {
      this.#unsaved = true;
      this.#failed('write', error, 'snapshot not written, a restart would begin from an older one');
    }
  }

  /** One log line per change of what is wrong; every time counted. */
  #failed(reason: 'refused' | 'write', error: unknown, message: string): void {
    const { metrics, log } = this.#options;
    metrics.snapshotErrors.add(1, reason);
    const code = errorCode(error);
    if (code !== this.#failing) log.warn(message, { file: this.file, error });
    this.#failing = code;
  }
}
