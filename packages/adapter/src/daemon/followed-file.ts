/** A file of another exporter's configuration: read at start, and again when it changes; a bad one changes nothing. */

import type { Clock, Timer } from '@outrigger/core/clock';
import { parseDocument } from '@outrigger/core/config';
import { errorCode, OutriggerError } from '@outrigger/core/errors';
import type { Logger } from '@outrigger/core/log';
import { readFile, stat } from 'node:fs/promises';

/** How often it is looked at, in ms; a ConfigMap's volume swaps a link that no watch of the file sees. */
const lookEveryMs = 5000;

export class FollowedFile<T> {
  readonly #file: string;
  readonly #read: (document: unknown) => T;
  readonly #parts: { readonly clock: Clock; readonly log: Logger };
  #value: T;
  #seen: string;
  #timer: Timer | undefined;
  #closed = false;

  private constructor(
    file: string,
    read: (document: unknown) => T,
    value: T,
    seen: string,
    parts: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#file = file;
    this.#read = read;
    this.#value = value;
    this.#seen = seen;
    this.#parts = parts;
    this.#wait();
  }

  /** Throws what reading it throws, and FILE_UNREADABLE. */
  static async open<T>(
    file: string,
    read: (document: unknown) => T,
    parts: { readonly clock: Clock; readonly log: Logger },
  ): Promise<FollowedFile<T>> {
    const seen = await markOf(file);
    return new FollowedFile(file, read, read(await documentOf(file)), seen, parts);
  }

  get value(): T {
    return this.#value;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #wait(): void {
    if (this.#closed) return;
    this.#timer = this.#parts.clock.setTimeout(
      () => void this.#look().finally(() => this.#wait()),
      lookEveryMs,
    );
  }

  async #look(): Promise<void> {
    const mark = await markOf(this.#file);
    if (mark === this.#seen) return;
    this.#seen = mark;
    const { log } = this.#parts;
    try {
      this.#value = this.#read(await documentOf(this.#file));
      log.info('file read again', { file: this.#file });
    } catch (error) {
      log.error('file refused; what it said before stays', { file: this.#file, error });
    }
  }
}

async function documentOf(file: string): Promise<unknown> {
  return parseDocument(await textOf(file), file);
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new OutriggerError(`cannot read ${file}: ${errorCode(error)}`, {
      code: 'FILE_UNREADABLE',
      target: file,
      hint: 'it must exist and be readable by this user',
      cause: error,
    });
  }
}

async function markOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(file);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return errorCode(error);
  }
}
