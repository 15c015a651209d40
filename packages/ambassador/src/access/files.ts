/**
 * Looks at files now and then and tells when one has changed. Looking beats listening here: certificates and passwords
 * are often mounted, and a mount changes by switching a link above them, which events of the file itself miss.
 */

import type { Clock, Timer } from '@outrigger/core/clock';
import { stat } from 'node:fs/promises';

export interface FileWatchOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** At least one file differs from when it was last looked at. Must not reject. */
  readonly changed: () => Promise<void>;
}

export class FileWatch {
  readonly #paths: readonly string[];
  readonly #options: FileWatchOptions;
  #seen = '';
  #timer: Timer | undefined;
  #closed = false;

  /** Resolves when the files have been looked at: what is read from then on and changes later is noticed. */
  static async open(paths: readonly string[], options: FileWatchOptions): Promise<FileWatch> {
    const watch = new FileWatch([...new Set(paths)], options);
    watch.#seen = await signatureOf(watch.#paths);
    watch.#schedule();
    return watch;
  }

  private constructor(paths: readonly string[], options: FileWatchOptions) {
    this.#paths = paths;
    this.#options = options;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#closed || this.#paths.length === 0) return;
    this.#timer = this.#options.clock.setTimeout(() => void this.#look(), this.#options.intervalMs);
  }

  async #look(): Promise<void> {
    const now = await signatureOf(this.#paths);
    const differs = now !== this.#seen;
    this.#seen = now;
    if (differs && !this.#closed) await this.#options.changed();
    this.#schedule();
  }
}

async function signatureOf(paths: readonly string[]): Promise<string> {
  return (await Promise.all(paths.map(signature))).join('|');
}

/** What changes with a file's content, as far as the file system tells. */
async function signature(path: string): Promise<string> {
  // That there is no such file is a state like any other: who reads it says what is wrong.
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats === undefined ? '' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}
