/** The journal in SQLite, seen from the main thread: one message out and one answer back per group of writes. */

import { Worker } from 'node:worker_threads';
import type { Journal, JournalGroup } from './journal.ts';
import type {
  Appended,
  Failure,
  Fetched,
  Opened,
  PackedRows,
  Request,
  Response,
  Sizes,
  WorkerData,
} from './messages.ts';
import { packRows, unpackRows, unpackValues } from './packing.ts';
import type { Row } from './packing.ts';
import type { StoreObserver } from './stats.ts';

export interface WorkerJournalOptions extends WorkerData {
  readonly observer: StoreObserver;
}

/** What the worker could not do, in its own words. */
export class WorkerFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class WorkerJournal implements Journal {
  readonly target: string;
  readonly #worker: Worker;
  readonly #observer: StoreObserver;
  /** Answers come in the order of the requests. */
  readonly #waiting: Waiting[] = [];
  #failed: Error | undefined;
  #sizes: Sizes = { sizeBytes: 0, walBytes: 0 };

  constructor(options: WorkerJournalOptions) {
    const { path, epoch, walBytes, observer } = options;
    this.target = path;
    this.#observer = observer;
    // The same file under tests (sources) and installed (compiled).
    const file = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), {
      name: 'store',
      workerData: { path, epoch, walBytes } satisfies WorkerData,
    });
    this.#worker.on('message', (response: Response) => this.#take(response));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`it exited with code ${code}`)));
  }

  get sizeBytes(): number {
    return this.#sizes.sizeBytes;
  }

  get walBytes(): number {
    return this.#sizes.walBytes;
  }

  async open(): Promise<Opened> {
    const opened = (await this.#ask({ type: 'open' })) as Opened;
    this.#sizes = opened;
    return opened;
  }

  /** Every stored row, in order of the ids, page by page. The next page is read while one is worked on. */
  async *pages(): AsyncGenerator<Iterable<Row>, void> {
    let loading = this.#load(0);
    for (;;) {
      const page = await loading;
      const last = page.ids.at(-1);
      if (last === undefined) return;
      loading = this.#load(last);
      yield unpackRows(page);
    }
  }

  async append(group: JournalGroup): Promise<number> {
    const rows = packRows(group.rows);
    const garbage = Float64Array.from(group.garbage);
    const { compacted } = group;
    const request: Request = { type: 'append', rows, garbage, compacted };
    const appended = (await this.#ask(request, [rows.values])) as Appended;
    this.#sizes = appended;
    if (appended.removed > 0)
      this.#observer.compaction?.({ durationMs: appended.removeMs, rows: appended.removed });
    return appended.removed;
  }

  async fetch(ids: readonly number[]): Promise<Uint8Array[]> {
    const fetched = (await this.#ask({ type: 'fetch', ids: Float64Array.from(ids) })) as Fetched;
    return unpackValues(fetched);
  }

  idle(): void {
    if (this.#failed === undefined) this.#worker.postMessage({ type: 'idle' } satisfies Request, []);
  }

  async close(): Promise<void> {
    if (this.#failed === undefined) await this.#ask({ type: 'close' });
    await this.#worker.terminate();
  }

  #load(after: number): Promise<PackedRows> {
    return this.#ask({ type: 'load', after }) as Promise<PackedRows>;
  }

  #ask(request: Request, transfer: ArrayBuffer[] = []): Promise<unknown> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request, transfer);
    });
  }

  #take(response: Response): void {
    switch (response.type) {
      case 'answer':
        return this.#waiting.shift()?.resolve(response.value);
      case 'failure':
        return this.#waiting.shift()?.reject(new WorkerFailure(response.failure));
      case 'checkpoint':
        return this.#observer.checkpoint?.(response.checkpoint);
    }
  }

  #fail(cause: Error): void {
    this.#failed ??= new Error(`the writer thread stopped: ${cause.message}`, { cause });
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failed);
  }
}
