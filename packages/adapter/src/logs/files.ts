/**
 * The files that some paths name, each followed by what it is (device and inode), not by its name: one that is renamed
 * away is read to its end under whatever name, one that takes its place is read from its start, one that is emptied is
 * begun again. What is no regular file is refused.
 */

import type { Clock } from '@outrigger/core/clock';
import { describeError, errorCode } from '@outrigger/core/errors';
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { filesOf } from './paths.ts';
import { endOf, openForReading, readBuffer, Tail } from './tail.ts';
import type { Position, Progress } from './tail.ts';

export interface FollowOptions {
  readonly patterns: readonly string[];
  readonly fromStart: boolean;
  readonly maxLineBytes: number;
  readonly clock: Clock;
  readonly onLine: (line: string) => void;
  readonly onDrop: (reason: string) => void;
  /** Where a source before this one stopped reading. */
  readonly positions: readonly Position[];
}

/** Files of one source at most; those beyond it in the order of their paths are not read. */
export const maxFiles = 256;
/** A file that is gone is read for as long after the last line that came, for writers that still have it open. */
export const goneRestMs = 10_000;

interface Followed {
  readonly tail: Tail;
  /** As it was called last. */
  path: string;
  /** Clock time of the last bytes, or of when its name was last there. */
  alive: number;
  cut: number;
}

export class FollowedFiles {
  readonly #options: FollowOptions;
  readonly #buffer = readBuffer();
  /** By device and inode. */
  readonly #files = new Map<string, Followed>();
  readonly #positions = new Map<string, Position>();
  /** Path → why it is not read. */
  #problems = new Map<string, string>();
  #first = true;

  constructor(options: FollowOptions) {
    this.#options = options;
    for (const position of options.positions) this.#positions.set(position.file, position);
  }

  get open(): number {
    return this.#files.size;
  }

  get problems(): ReadonlyMap<string, string> {
    return this.#problems;
  }

  get positions(): readonly Position[] {
    return [...this.#files.values()].map(({ tail }) => tail.position);
  }

  /** Reads everything there is; true when there may be more at once. */
  async pass(): Promise<boolean> {
    const found = await this.#find();
    for (const [key, { path, stats }] of found) await this.#follow(key, path, stats);
    this.#first = false;
    let more = false;
    for (const [key, followed] of this.#files) {
      const progress = await this.#read(key, followed);
      if (progress === undefined) continue;
      more ||= progress.more;
      const now = this.#options.clock.now();
      if (progress.bytes > 0 || found.has(key)) followed.alive = now;
      else if (now - followed.alive >= goneRestMs) await this.#forget(key, followed);
    }
    return more;
  }

  async close(): Promise<void> {
    for (const [key, followed] of this.#files) await this.#forget(key, followed);
  }

  async #find(): Promise<Map<string, { path: string; stats: BigIntStats }>> {
    const found = new Map<string, { path: string; stats: BigIntStats }>();
    const problems = new Map<string, string>();
    for (const pattern of this.#options.patterns) {
      for (const path of await this.#pathsOf(pattern, problems)) {
        const stats = await statOf(path, problems);
        if (stats === undefined || found.has(keyOf(stats))) continue;
        if (found.size >= maxFiles) {
          problems.set(
            pattern,
            `there are more than ${maxFiles} files, and those from ${path} on are not read`,
          );
          break;
        }
        found.set(keyOf(stats), { path, stats });
      }
    }
    this.#problems = problems;
    return found;
  }

  async #pathsOf(pattern: string, problems: Map<string, string>): Promise<readonly string[]> {
    try {
      return await filesOf(pattern);
    } catch (error) {
      problems.set(pattern, describeError(error));
      return [];
    }
  }

  async #follow(key: string, path: string, stats: BigIntStats): Promise<void> {
    const known = this.#files.get(key);
    if (known !== undefined) {
      known.path = path;
      return;
    }
    try {
      const handle = await openForReading(path);
      const opened = await handle.stat({ bigint: true });
      // Another file took its name since: the next pass sees it.
      if (keyOf(opened) !== key || !opened.isFile()) return await handle.close();
      const tail = new Tail(handle, await this.#startOf(handle, stats), this.#options.maxLineBytes);
      this.#files.set(key, { tail, path, alive: this.#options.clock.now(), cut: 0 });
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') this.#problems.set(path, describeError(error));
    }
  }

  async #startOf(handle: Parameters<typeof endOf>[0], stats: BigIntStats): Promise<Position> {
    const size = Number(stats.size);
    const file = keyOf(stats);
    const known = this.#positions.get(file);
    this.#positions.delete(file);
    if (known !== undefined && known.offset <= size) return known;
    if (this.#first && !this.#options.fromStart && known === undefined) return endOf(handle, file, size);
    return { file, offset: 0, skipping: false };
  }

  async #read(key: string, followed: Followed): Promise<Progress | undefined> {
    const { onLine, onDrop } = this.#options;
    try {
      const progress = await followed.tail.read(this.#buffer, onLine);
      for (; followed.cut < followed.tail.cut; followed.cut++) onDrop('long-line');
      return progress;
    } catch (error) {
      this.#problems.set(followed.path, describeError(error));
      await this.#forget(key, followed);
      return undefined;
    }
  }

  async #forget(key: string, { tail }: Followed): Promise<void> {
    this.#files.delete(key);
    await tail.close();
  }
}

function keyOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** Undefined, with a problem unless it is only not there yet. */
async function statOf(path: string, problems: Map<string, string>): Promise<BigIntStats | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isFile()) return stats;
    problems.set(path, `${kindOf(stats)}, and only regular files are read`);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') problems.set(path, describeError(error));
  }
  return undefined;
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'it is a named pipe';
  if (stats.isDirectory()) return 'it is a directory';
  if (stats.isSocket()) return 'it is a socket';
  return 'it is a device';
}
