/**
 * The commands that took long: a ring of the latest ones above a threshold, and the slowest of all. Below the threshold a
 * command costs one comparison.
 *
 * An operator may see it who may not see the data: never a value, and keys only when asked for, shortened.
 */

import { decodeRequest, RespError } from '@outrigger/core/resp';
import type { Command } from '../commands/command.ts';
import { keysOf } from '../commands/keys.ts';
import type { SessionState } from '../session/state.ts';

export interface SlowLogOptions {
  /** What takes at least as long is kept. */
  readonly thresholdMs: number;
  /** How many are kept. 0: none. */
  readonly entries: number;
  /** Whether the first key is shown. It is data of users. */
  readonly keys: boolean;
}

/** A command that has been answered. */
export interface SlowCommand {
  readonly durationMs: number;
  /** When it was answered, since the epoch. */
  readonly wallMs: number;
  readonly session: Pick<SessionState, 'id' | 'name' | 'peer'>;
  /** Who answered; '' for the ambassador itself. */
  readonly server: string;
  readonly command: Command;
  /** The whole request where it is still at hand. */
  readonly request: Uint8Array | undefined;
}

export interface SlowEntry {
  /** Counted from 1; gaps never. */
  readonly id: number;
  readonly time: string;
  readonly durationMs: number;
  readonly session: number;
  readonly name: string;
  readonly peer: string;
  readonly server: string;
  readonly command: string;
  /** Undefined when the request was no longer at hand. */
  readonly arguments: number | undefined;
  readonly bytes: number | undefined;
  /** Of the first arguments behind the name, of commands that have keys: others may carry passwords. */
  readonly lengths: readonly number[] | undefined;
  readonly key: string | undefined;
}

export interface SlowLogPage {
  readonly thresholdMs: number;
  /** Above the threshold since the start; the page holds the latest of them. */
  readonly total: number;
  readonly slowest: SlowEntry | undefined;
  /** The latest first. */
  readonly entries: readonly SlowEntry[];
}

const maxKeyBytes = 64;
const maxLengths = 4;

export class SlowLog {
  readonly #onSlow: () => void;
  #options: SlowLogOptions;
  #thresholdMs: number;
  #ring: SlowEntry[] = [];
  #total = 0;
  #slowest: SlowEntry | undefined;

  /** `onSlow` counts. */
  constructor(options: SlowLogOptions, onSlow: () => void) {
    this.#options = options;
    this.#onSlow = onSlow;
    this.#thresholdMs = options.thresholdMs;
    this.configure(options);
  }

  /** What has been kept stays, as far as it fits. */
  configure(options: SlowLogOptions): void {
    const kept = this.#newestFirst().slice(0, options.entries);
    this.#options = options;
    this.#thresholdMs = options.entries === 0 ? Number.POSITIVE_INFINITY : options.thresholdMs;
    this.#ring = [];
    for (const entry of kept) this.#ring[entry.id % options.entries] = entry;
  }

  /** Hot: whether a command that took so long is to be noted. */
  isSlow(durationMs: number): boolean {
    return durationMs >= this.#thresholdMs;
  }

  note(slow: SlowCommand): void {
    this.#onSlow();
    const entry = this.#entry(slow, ++this.#total);
    this.#ring[entry.id % this.#options.entries] = entry;
    if (entry.durationMs > (this.#slowest?.durationMs ?? -1)) this.#slowest = entry;
  }

  page(): SlowLogPage {
    const { thresholdMs } = this.#options;
    return { thresholdMs, total: this.#total, slowest: this.#slowest, entries: this.#newestFirst() };
  }

  #newestFirst(): SlowEntry[] {
    // A ring that is not yet full has holes, which `filter` leaves out.
    return this.#ring.filter(() => true).sort((a, b) => b.id - a.id);
  }

  #entry({ durationMs, wallMs, session, server, command, request }: SlowCommand, id: number): SlowEntry {
    const args = request === undefined ? undefined : argumentsOf(request);
    const [first] = args === undefined ? [] : keysOf(command, args);
    return {
      id,
      time: new Date(wallMs).toISOString(),
      durationMs: Math.round(durationMs * 1000) / 1000,
      session: session.id,
      name: session.name,
      peer: session.peer,
      server,
      command: command.name,
      arguments: args?.length,
      bytes: request?.length,
      lengths: first === undefined ? undefined : args?.slice(1, 1 + maxLengths).map(({ length }) => length),
      key: this.#options.keys && first !== undefined ? shortened(args?.[first]) : undefined,
    };
  }
}

function argumentsOf(request: Uint8Array): Buffer[] | undefined {
  try {
    return decodeRequest(request, { maxBulkBytes: Number.MAX_SAFE_INTEGER });
  } catch (error) {
    // What is not one whole request is noted without its arguments.
    if (error instanceof RespError) return undefined;
    throw error;
  }
}

/** As text where it is text; bytes that are none are shown as the replacement character. */
function shortened(key: Buffer | undefined): string | undefined {
  if (key === undefined || key.length <= maxKeyBytes) return key?.toString();
  return `${key.toString('utf8', 0, maxKeyBytes)}… (${key.length} bytes)`;
}
