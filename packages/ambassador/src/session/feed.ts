/**
 * A client's bytes, as requests to decide on one by one.
 *
 * Requests that are decided alike and lie side by side leave as one slice of the received chunk (the *run*): a pipeline
 * of a hundred GETs is one write, not a hundred. A request is shown when it is whole; one that outgrows `maxHeldBytes`, or
 * says that it will, is shown early, so that it can be passed on as it arrives.
 */

import { RequestEvent, RequestScanner, RespError } from '@outrigger/core/resp';
import type { RespLimits } from '@outrigger/core/resp';
import type { Command } from '../commands/command.ts';
import type { CommandTable } from '../commands/table.ts';

export type FeedEvent =
  /** The chunk is used up: take the run, then `turn`. What has arrived of a streamed request is in the run. */
  | 'more'
  /** A request is whole. `accept` puts it into the run, `drop` leaves it out. */
  | 'frame'
  /** A request is too large to hold. `accept` puts what has arrived of it into the run and lets the rest follow. */
  | 'large'
  /** The last of a streamed request is in the run. `accept` goes on behind it. */
  | 'streamed'
  /** A request that nobody answers (an empty line, `*0`): `drop` it. */
  | 'empty'
  /** Malformed: Redis itself must answer. `takeAll` is what is left. */
  | 'foreign';

const empty = new Uint8Array(0);

export class RequestFeed {
  /** Of the request shown; undefined when the table does not know its name. */
  command: Command | undefined;
  /** The limit that the request shown as foreign is above; undefined when it is malformed. */
  exceeds: keyof RespLimits | undefined;
  readonly #table: CommandTable;
  readonly #maxHeldBytes: number;
  readonly #respLimits: Partial<RespLimits>;
  readonly #queue: Uint8Array[] = [];
  #scanner: RequestScanner;
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
  /** The request shown early shall be waited for after all. */
  #whole = false;

  constructor(table: CommandTable, maxHeldBytes: number, respLimits: Partial<RespLimits>) {
    this.#table = table;
    this.#maxHeldBytes = maxHeldBytes;
    this.#respLimits = respLimits;
    this.#scanner = new RequestScanner(respLimits);
  }

  /** Part of a request has been accepted, the rest of it is still to come. */
  get streaming(): boolean {
    return this.#streaming;
  }

  /** The request shown is a line of words. */
  get inline(): boolean {
    return this.#scanner.inline;
  }

  /** Of the request shown, its name included. */
  get argc(): number {
    return this.#scanner.argc;
  }

  /** Nothing is held: no request, no part of one. */
  get idle(): boolean {
    return (
      this.#queue.length === 0 &&
      this.#pieces.length === 0 &&
      this.#from === this.#chunk.length &&
      this.#scanner.between
    );
  }

  /** Bytes held of a request that is not whole. */
  get heldBytes(): number {
    return this.#pieceBytes;
  }

  /** Bytes that have come and were not taken, down to the chunk that is being looked at. */
  get waitingBytes(): number {
    let sum = this.#pieceBytes + this.#chunk.length - this.#from;
    for (const chunk of this.#queue) sum += chunk.length;
    return sum;
  }

  /** The name of the request shown, in upper case. */
  get name(): string {
    const { name, nameLength } = this.#scanner;
    return Buffer.from(name.buffer, name.byteOffset, Math.max(nameLength, 0)).toString('latin1');
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  /** What to decide next; the same again until it is accepted or dropped. */
  next(): FeedEvent {
    this.#shown ??= this.#scan();
    return this.#shown;
  }

  accept(): void {
    this.#streaming = this.#shown === 'large';
    this.#to = this.#scanned;
    this.#accepted = true;
    this.#whole = false;
    this.#shown = undefined;
  }

  /** Passes over the request shown. The run must have been taken. */
  drop(): void {
    this.#streaming = this.#shown === 'large';
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#from = this.#to = this.#scanned;
    this.#whole = false;
    this.#shown = undefined;
  }

  /** The request shown early is to be shown again once it is whole. */
  wantWhole(): void {
    this.#whole = true;
    this.#shown = undefined;
  }

  /** The request shown, whole. Earlier chunks hold its beginning only if no run stands before it. */
  frame(): Uint8Array {
    return this.#accepted
      ? this.#chunk.subarray(this.#to, this.#scanned)
      : this.#joined(this.#from, this.#scanned);
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

  /** Requests that were taken once come first again. Nothing may be accepted and not taken, nothing streaming. */
  putBack(requests: readonly Uint8Array[]): void {
    const all = [...requests, ...this.takeAll()];
    this.#scanner = new RequestScanner(this.#respLimits);
    this.#queue.push(...all);
    this.#restart(this.#queue.shift() ?? empty);
  }

  /** Everything not taken so far. */
  takeAll(): Uint8Array[] {
    const all = [...this.#pieces, this.#chunk.subarray(this.#from), ...this.#queue];
    this.#pieces = [];
    this.#pieceBytes = 0;
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
    if (this.#tooLarge()) return 'large';
    try {
      for (;;) {
        const event = this.#scanner.next(this.#chunk, this.#scanned);
        this.#scanned = this.#scanner.offset;
        if (event === RequestEvent.more) return this.#usedUp();
        if (event === RequestEvent.end) return this.#ended();
        this.command = this.#table.find(this.#scanner.name, this.#scanner.nameLength);
      }
    } catch (error) {
      if (!(error instanceof RespError)) throw error;
      this.exceeds = error.limit;
      return 'foreign';
    }
  }

  #tooLarge(): boolean {
    return !this.#streaming && !this.#whole && this.#pieceBytes > this.#maxHeldBytes;
  }

  #usedUp(): FeedEvent {
    if (this.#streaming) this.#include();
    return this.#willOutgrow() ? 'large' : 'more';
  }

  /** The string that has begun says itself that the request will be too large to hold. */
  #willOutgrow(): boolean {
    const { missing } = this.#scanner;
    if (missing === 0 || this.#streaming || this.#whole) return false;
    const held = this.#accepted ? this.#scanned - this.#to : this.#pieceBytes + this.#scanned - this.#from;
    return held + missing > this.#maxHeldBytes;
  }

  #ended(): FeedEvent {
    if (this.#streaming) {
      this.#include();
      return 'streamed';
    }
    return this.#scanner.argc === 0 ? 'empty' : 'frame';
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
