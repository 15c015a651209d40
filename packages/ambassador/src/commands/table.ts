/**
 * The commands known beforehand, looked up by the scanner's bytes.
 *
 * Rows come from the COMMAND output of real servers (table.generated.ts), routes from their flags and from overrides
 * (classify.ts). A look-up makes no string: names are compared byte by byte within their hash bucket.
 */

import { buildCommands } from './build.ts';
import { unknownCommand } from './classify.ts';
import type { Classified } from './classify.ts';
import type { Command } from './command.ts';
import { mergeRows } from './merge.ts';
import { parseRow } from './row.ts';
import type { Row } from './row.ts';
import { generatedRows, generatedServers } from './table.generated.ts';

/** Words of HTTP that no COMMAND tells of. */
const hangUps = ['POST', 'HOST:'];
const hangUpWhy = 'Redis takes it for a request that a browser was tricked into, and closes the connection';

export class CommandTable {
  /** What a request of a name that no server knows amounts to: sent as a write, so that Redis answers the error. */
  readonly unknown: Command;
  readonly #commands: Map<string, Command>;
  /** Name and command in turn of each bucket. */
  readonly #names: (Uint8Array | undefined)[] = Array.from({ length: bucketCount });
  readonly #found: (Command | undefined)[] = Array.from({ length: bucketCount });

  constructor() {
    this.#commands = buildCommands(mergeRows(knownRows()), 0);
    this.unknown = {
      ...unknownCommand,
      index: this.#commands.size,
      name: '(unknown)',
      keys: undefined,
      origin: 'override',
      examine: undefined,
    };
    this.#commands.set(this.unknown.name, this.unknown);
    for (const [name, command] of this.#commands) if (isPlain(name)) this.#place(Buffer.from(name), command);
    const hangUp: Command = { ...this.unknown, route: 'splice', why: hangUpWhy };
    for (const name of hangUps) this.#place(Buffer.from(name), hangUp);
  }

  /** The command of this name, of which the first `length` bytes count: upper case, as the scanner keeps it. */
  find(name: Uint8Array, length: number): Command | undefined {
    if (length <= 0) return undefined;
    return this.#found[this.#bucket(name, length)];
  }

  /** By name, upper case: `GET`, `CLIENT|SETNAME`, `SORT (no STORE)`. */
  named(name: string): Command | undefined {
    return this.#commands.get(name);
  }

  get size(): number {
    return this.#commands.size;
  }

  /** By index. */
  all(): readonly Command[] {
    return [...this.#commands.values()].sort((a, b) => a.index - b.index);
  }

  /** Routes a known command by what its own server tells of it (live.ts). Its milder row, if any, no longer applies. */
  overrule(known: Command, { route, mutates, why }: Classified, origin: string): Command {
    const isContainer = [...this.#commands.keys()].some((name) => name.startsWith(`${known.name}|`));
    const examine = isContainer ? known.examine : undefined;
    const command: Command = { ...known, route, mutates, why, origin, examine };
    this.#commands.set(command.name, command);
    if (isPlain(command.name)) this.#place(Buffer.from(command.name), command);
    return command;
  }

  #place(name: Uint8Array, command: Command): void {
    const bucket = this.#bucket(name, name.length);
    this.#names[bucket] = name;
    this.#found[bucket] = command;
  }

  /** Where the name is, or would be. */
  #bucket(name: Uint8Array, length: number): number {
    for (let bucket = hash(name, length); ; bucket = (bucket + 1) % bucketCount) {
      const known = this.#names[bucket];
      if (known === undefined || same(known, name, length)) return bucket;
    }
  }
}

/** The generated rows, one for each command and each server that describes it in its own way. */
export function knownRows(): Row[] {
  return generatedRows
    .trim()
    .split('\n')
    .map((line) => {
      const [letters = '', ...rest] = line.split(' ');
      const origin = [...letters].map((letter) => generatedServers[letter] ?? '').join(', ');
      return parseRow(rest.join(' '), origin);
    });
}

/** Not a subcommand, and not the milder row of a command. */
function isPlain(name: string): boolean {
  return !/[| (]/.test(name);
}

/** A power of two well above the number of names, so that buckets stay short. */
const bucketCount = 1024;

/** FNV-1a. */
function hash(name: Uint8Array, length: number): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < length; i++) value = Math.imul(value ^ (name[i] as number), 0x01000193);
  return (value >>> 0) % bucketCount;
}

function same(known: Uint8Array, name: Uint8Array, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known[i] !== name[i]) return false;
  return true;
}
