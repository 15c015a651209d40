/**
 * A client's bytes, as requests to decide on one by one.
 *
 * Requests that are decided alike and lie side by side leave as one slice of the received chunk (the *run*): a pipeline
 * of a hundred GETs is one write, not a hundred. A request is shown when it is whole; one that outgrows `maxHeldBytes`
 * is shown early, to be passed on as it arrives.
 */

import { RequestEvent, RequestScanner, RespError } from '@outrigger/core/resp';
import { classifyContainer } from '../commands/commands.ts';
import type { CommandClass, CommandTable } from '../commands/commands.ts';

export type FeedEvent =
  /** The chunk is used up: take the run, then `turn`. What has arrived of a streamed request is in the run. */
  | 'more'
  /** A request is whole, and `class` says what it is. `accept` puts it into the run. */
  | 'frame'
  /** A write is too large to hold. `accept` puts what has arrived of it into the run and lets the rest follow. */
  | 'large'
  /** The last of a streamed request is in the run. `accept` goes on behind it. */
  | 'streamed'
  /** Not to be routed: malformed, unknown, or a command that ends routing. `takeAll` is what is left. */
  | 'foreign';

const empty = new Uint8Array(0);

export class RequestFeed {
  /** Of the request shown. */
  class: CommandClass = 'splice';
  readonly #table: CommandTable;
  readonly #maxHeldBytes: number;
  readonly #scanner = new RequestScanner();
  readonly #queue: Uint8Array[] = [];
  /** The beginning of the run, or of the current request, from earlier chunks. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #chunk: Uint8Array = empty;
  /** The run goes from here … */
  #from = 0;
  /** … to here, if anything was accepted. */
  #to = 0;
  #accepted = false;
  #scanned = 0;
  #shown: FeedEvent | undefined;
  #streaming = false;

  constructor(table: CommandTable, maxHeldBytes: number) {
    this.#table = table;
    this.#maxHeldBytes = maxHeldBytes;
  }

  /** Part of a request has been accepted, the rest of it is still to come. */
  get streaming(): boolean {
    return this.#streaming;
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  /** What to decide next; the same again until it is accepted. */
  next(): FeedEvent {
    this.#shown ??= this.#scan();
    return this.#shown;
  }

  accept(): void {
    this.#streaming = this.#shown === 'large';
    this.#to = this.#scanned;
    this.#accepted = true;
    this.#shown = undefined;
    if (!this.#streaming) this.class = 'splice';
  }

  /** The run, to be sent; undefined when nothing was accepted. */
  takeRun(): Uint8Array | undefined {
    if (!this.#accepted) return undefined;
    const run = this.#joined(this.#from, this.#to);
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#from = this.#to;
    this.#accepted = false;
    return run.length === 0 ? undefined : run;
  }

  /** On to the next chunk, keeping the part of a request the last one ended with. False when there is nothing to do. */
  turn(): boolean {
    if (this.#from < this.#chunk.length) {
      this.#pieces.push(this.#chunk.subarray(this.#from));
      this.#pieceBytes += this.#chunk.length - this.#from;
    }
    const next = this.#queue.shift();
    this.#restart(next ?? empty);
    return next !== undefined || this.#tooLarge();
  }

  /** Everything not taken so far. The feed is empty afterwards, and of no more use. */
  takeAll(): Uint8Array[] {
    const all = [...this.#pieces, this.#chunk.subarray(this.#from), ...this.#queue];
    this.#pieces = [];
    this.#queue.length = 0;
    this.#restart(empty);
    return all.filter((bytes) => bytes.length > 0);
  }

  #restart(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#from = 0;
    this.#to = 0;
    this.#scanned = 0;
    this.#shown = undefined;
  }

  #scan(): FeedEvent {
    if (this.#tooLarge()) return this.class === 'write' || this.class === 'other' ? 'large' : 'foreign';
    try {
      for (;;) {
        const event = this.#scanner.next(this.#chunk, this.#scanned);
        this.#scanned = this.#scanner.offset;
        if (event === RequestEvent.more) return this.#usedUp();
        if (event === RequestEvent.end) return this.#ended();
        this.class = this.#table.classify(this.#scanner);
        if (this.class === 'splice') return 'foreign';
      }
    } catch (error) {
      if (error instanceof RespError) return 'foreign';
      throw error;
    }
  }

  #tooLarge(): boolean {
    return !this.#streaming && this.#pieceBytes > this.#maxHeldBytes;
  }

  #usedUp(): FeedEvent {
    if (this.#streaming) this.#include();
    return 'more';
  }

  #ended(): FeedEvent {
    // An empty request gets no answer and cannot be counted: it is for Redis to ignore.
    if (this.#scanner.argc === 0) return 'foreign';
    if (this.#streaming) {
      this.#include();
      return 'streamed';
    }
    if (this.class === 'container') this.class = classifyContainer(this.#frame());
    return this.class === 'splice' ? 'foreign' : 'frame';
  }

  /** The request that has just ended. Earlier chunks hold its beginning only if no run stands before it. */
  #frame(): Uint8Array {
    return this.#accepted
      ? this.#chunk.subarray(this.#to, this.#scanned)
      : this.#joined(this.#from, this.#scanned);
  }

  #include(): void {
    this.#to = this.#scanned;
    this.#accepted ||= this.#to > this.#from;
  }

  #joined(from: number, to: number): Uint8Array {
    const last = this.#chunk.subarray(from, to);
    return this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last]);
  }
}
