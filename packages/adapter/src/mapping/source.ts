/**
 * Where the mapping comes from: a YAML file, read again when it changes, or an object in the configuration.
 *
 * The file is looked at on a timer rather than watched: a ConfigMap's volume swaps a link two levels above it, which
 * no watch of the file sees. A bad file is refused with every problem, and what was read before stays.
 */

import { InvalidConfig, parseDocument } from '@outrigger/core/config';
import type { Clock, Timer } from '@outrigger/core/clock';
import { describeError, OutriggerError } from '@outrigger/core/errors';
import type { Logger } from '@outrigger/core/log';
import { readFile, stat } from 'node:fs/promises';
import { readMapping } from './read.ts';
import type { MappingRules } from './rules.ts';

/** How often a file is looked at, ms. */
export const lookEveryMs = 5000;

/** A mapping needs far less; a longer file is not one. */
const maxBytes = 16 * 1024 * 1024;

export interface MappingPlace {
  readonly file: string | undefined;
  /** The document itself, where there is no file. */
  readonly inline: unknown;
  /** Of histograms whose buckets the mapping does not name. */
  readonly bounds: readonly number[];
}

/** Undefined: no mapping is configured. Throws InvalidConfig with every problem, or MAPPING_UNREADABLE. */
export async function loadMapping(place: MappingPlace): Promise<MappingRules | undefined> {
  const { file, inline, bounds } = place;
  if (file === undefined) return inline === undefined ? undefined : rulesOf(inline, 'mapping', bounds);
  return rulesOf(await parseDocument(await textOf(file), file), file, bounds);
}

/** Calls `onRules` whenever the file has become another valid mapping. */
export class MappingWatch {
  readonly #place: MappingPlace & { readonly file: string };
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onLoad: (outcome: MappingRules | undefined) => void;
  #seen: string;
  #timer: Timer | undefined;
  #closed = false;

  /** `seen`: the file's mark before it was first read. `onLoad(undefined)`: the file is bad. */
  constructor(
    place: MappingPlace & { readonly file: string },
    seen: string,
    clock: Clock,
    log: Logger,
    onLoad: (outcome: MappingRules | undefined) => void,
  ) {
    this.#place = place;
    this.#seen = seen;
    this.#clock = clock;
    this.#log = log;
    this.#onLoad = onLoad;
    this.#wait();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => void this.#look(), lookEveryMs);
  }

  async #look(): Promise<void> {
    const { file } = this.#place;
    const mark = await markOf(file);
    if (mark !== this.#seen && !this.#closed) {
      this.#seen = mark;
      await this.#load();
    }
    if (!this.#closed) this.#wait();
  }

  async #load(): Promise<void> {
    const { file } = this.#place;
    try {
      const rules = await loadMapping(this.#place);
      if (this.#closed || rules === undefined) return;
      this.#log.info('the mapping changed and was read again', { file, rules: rules.rules.length });
      this.#onLoad(rules);
    } catch (error) {
      if (this.#closed) return;
      this.#log.error('the mapping changed and is refused; the one before stays', {
        file,
        problem: describeError(error),
      });
      this.#onLoad(undefined);
    }
  }
}

/** Changes with the file; empty where there is none. */
export async function markOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch {
    // Reading it says what is wrong with it; here it is only known to be away.
    return '';
  }
}

function rulesOf(value: unknown, place: string, bounds: readonly number[]): MappingRules {
  const read = readMapping(value, bounds);
  if ('rules' in read) return read.rules;
  throw new InvalidConfig(
    read.problems.map((problem) => ({ ...problem, path: `${place}: ${problem.path}` })),
  );
}

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > maxBytes) throw new Error(`${size} bytes, at most ${maxBytes} are read`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new OutriggerError(`cannot read the mapping ${file}`, {
      code: 'MAPPING_UNREADABLE',
      target: file,
      hint: 'check --statsd-mapping: want a readable YAML file',
      cause,
    });
  }
}
