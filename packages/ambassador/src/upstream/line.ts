/**
 * One connection to one server, shared by many sessions or owned by one.
 *
 * Requests are bytes that already are what the server wants, so they are queued as slices and joined into few writes:
 * fifty clients with a command each become one, and Redis reads one socket instead of fifty. While little is under way a
 * request leaves at once. Otherwise what is queued leaves when a turn of the event loop has brought nothing more, and, at a
 * server that answers quickly, not before the last batch is answered: clients wait no longer for it, since the server would
 * have taken it up no sooner, and the batches are larger.
 * Large slices are never joined: copying them costs more than the system call.
 *
 * Answers come in the order of the requests, so a queue of runs tells whose each is. They are found by their boundaries
 * alone and handed over as slices of the chunk; a part of a long answer is handed over as it comes, and never kept. Only
 * an error is looked at, and a server's rejection told apart from an answer.
 */

import { ReplyEvent, ReplyScanner, RespError } from '@outrigger/core/resp';
import type { Identity } from '../session/state.ts';
import { AnswerTime } from './answer-time.ts';
import { joined } from './joined.ts';
import type { LineOptions } from './line-options.ts';
import { rejectionIn } from './rejection.ts';
import { noteUnsent } from './run.ts';
import type { Rejection, Run, RunOwner } from './run.ts';
import type { Server } from './server.ts';
import type { Refusal, Welcome } from './welcome.ts';
import type { Wire } from './wire.ts';

/** Waits for a line to open, to fail or to have room. */
export interface LineWaiter {
  lineChanged(line: Line): void;
}

/** With this much waiting, nothing more is waited for. */
const flushBytes = 65_536;
/** With less under way, nothing is gained by waiting: a request leaves at once. */
const fewUnderWay = 4;
/** Turns that are waited for while each brings more. */
const maxTurns = 8;

const [minus, greater] = [0x2d, 0x3e];

export class Line {
  readonly server: Server;
  readonly identity: Identity;
  readonly exclusive: boolean;
  state: 'opening' | 'open' | 'closed' = 'opening';
  /** Set once open. */
  welcome: Welcome = { runId: '', role: 'unknown', clientId: 0, hello: undefined };
  /** When the server said what `welcome` holds. */
  openedAtMs = 0;
  /** The socket has enough: send no more until `lineChanged`. */
  full = false;
  /** Something a client did stays in the connection: it must not serve another session. */
  dirty = false;
  /** Why it is closed. */
  refusal: Refusal | undefined;
  /** The CLIENT SETNAME it carries. */
  name = '';
  /** What comes unasked, on an exclusive line. */
  onPush: ((bytes: Uint8Array) => void) | undefined;
  readonly #options: LineOptions;
  readonly #wire: Wire;
  #scanner: ReplyScanner;
  readonly #waiters = new Set<LineWaiter>();
  readonly #runs: Run[] = [];
  #out: Uint8Array[] = [];
  #outBytes = 0;
  #scheduled = false;
  /** Requests queued, and how many there were when the last turn ended. */
  #queued = 0;
  #seen = 0;
  #turns = 0;
  /** Requests of written batches that are not answered. */
  #underWay = 0;
  readonly #answerTime = new AnswerTime();
  /** The beginning of an error or a push that has not arrived whole: neither is handed over in parts. */
  #cut: Uint8Array | undefined;
  /** Why it closes once nothing is owed any more; `#shut`: nothing more is written until then. */
  #leaving: string | undefined;
  #shut = false;
  #paused = false;
  #raw: ((chunk: Uint8Array) => void) | undefined;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#scanner = new ReplyScanner({ maxDepth: options.maxDepth });
    this.server = options.server;
    this.identity = options.identity;
    this.exclusive = options.exclusive;
    const events = {
      exclusive: options.exclusive,
      opened: (welcome: Welcome) => this.#opened(welcome),
      received: (chunk: Uint8Array) => this.#received(chunk),
      drained: () => this.#drained(),
      lost: (refusal: Refusal) => this.#lost(refusal),
    };
    const { server, identity, readonly, evenBusy } = options;
    this.#wire = options.openWire(server, identity, readonly, events, evenBusy);
  }

  /** Requests without an answer. */
  get outstanding(): number {
    let sum = 0;
    for (const run of this.#runs) sum += run.count - run.answered;
    return sum;
  }

  get idle(): boolean {
    return this.#runs.length === 0;
  }

  /** The kernel has all that was written: nobody reads from those bytes any more. */
  get written(): boolean {
    return this.#wire.unsent === 0;
  }

  wait(waiter: LineWaiter): void {
    this.#waiters.add(waiter);
  }

  leave(waiter: LineWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** Sends `bytes`, which hold `count` requests of `run` (0: more of one already counted). The line must be open. */
  send(run: Run, bytes: Uint8Array, count: number): void {
    run.count += count;
    if (this.state === 'closed') {
      run.unsent += count;
      // It was closed with something on its way to it. Nobody counts on being told from within.
      queueMicrotask(() => run.owner.lost(run, this.refusal ?? { why: 'it is closed', error: undefined }));
      return;
    }
    if (run.replica !== undefined) run.replica.outstanding += count;
    if (this.#runs.at(-1) !== run) {
      this.#runs.push(run);
      run.sentAtMs = this.#options.now();
    }
    this.#out.push(bytes);
    this.#outBytes += bytes.length;
    this.#queued += count;
    const little = this.#underWay < fewUnderWay && !this.#scheduled;
    if (this.exclusive || little || this.#outBytes >= flushBytes) this.flush();
    else if (!this.#answerTime.near || this.#answerTime.overdue(run.sentAtMs)) this.#schedule();
  }

  /** What `soon` calls. */
  turnEnded(): void {
    if (!this.#scheduled) return;
    if (this.#turns >= maxTurns || this.#queued === this.#seen) {
      this.flush();
      return;
    }
    this.#turns++;
    this.#seen = this.#queued;
    this.#options.soon(this);
  }

  /** Writes what is queued. */
  flush(): void {
    this.#scheduled = false;
    if (this.#out.length === 0 || this.state !== 'open' || this.#shut) return;
    const out = this.#out;
    this.#out = [];
    this.#outBytes = 0;
    this.#underWay += this.#queued;
    this.#queued = 0;
    this.#answerTime.written(this.#options.now());
    if (!this.#wire.write(joined(out))) this.full = true;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#turns = 0;
    this.#seen = 0;
    this.#options.soon(this);
  }

  /** Answers of written requests are in: what waited for the last of them may leave. */
  #answeredBatch(answers: number): void {
    this.#underWay -= answers;
    if (this.#underWay === 0 && this.#queued > 0) this.#schedule();
  }

  /** Once everything under way is answered, what is received goes to `onBytes` untouched; `write` sends. */
  startRaw(onBytes: (chunk: Uint8Array) => void): void {
    this.#raw = onBytes;
    const cut = this.#cut;
    if (cut === undefined || !this.idle) return;
    // The beginning of a push: the rest of it comes raw.
    this.#cut = undefined;
    this.#scanner = new ReplyScanner({ maxDepth: this.#options.maxDepth });
    onBytes(cut);
  }

  /** Back to counting answers. Nothing may be under way; `rest` has come behind the last frame that was raw. */
  endRaw(rest: Uint8Array): void {
    this.#raw = undefined;
    if (rest.length > 0) this.#received(rest);
  }

  /** In raw mode: sends bytes as they are. */
  write(bytes: Uint8Array): void {
    if (!this.#wire.write([bytes])) this.full = true;
  }

  /** In raw mode: nothing more will be written. The server's answers still come. */
  endWriting(): void {
    this.#wire.end();
  }

  /** Nobody but `owner` waits for answers. */
  onlyFor(owner: RunOwner): boolean {
    return this.#runs.every((run) => run.owner === owner);
  }

  /** Only where one session alone waits for answers: its server is not read from until `resume`. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#wire.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#wire.resume();
  }

  /** Ends it; its runs are told. */
  close(why: string): void {
    if (this.state === 'closed') return;
    this.#wire.destroy();
    this.#end({ why, error: undefined });
  }

  closeWhenIdle(why: string): void {
    this.#leaving = why;
    this.#leave();
  }

  /** Nothing more is written, what is queued included: its runs are told when what was written is answered. */
  closeWhenAnswered(why: string): void {
    this.#shut = true;
    this.closeWhenIdle(why);
  }

  #leave(): void {
    const answered = this.#underWay === 0 || this.#raw !== undefined;
    if (this.#leaving !== undefined && (this.idle || (this.#shut && answered))) this.close(this.#leaving);
  }

  #opened(welcome: Welcome): void {
    this.welcome = welcome;
    if (welcome.busy === true) this.dirty = true;
    this.openedAtMs = this.#options.now();
    this.state = 'open';
    this.#tell();
  }

  #drained(): void {
    this.full = false;
    this.#tell();
  }

  #lost(refusal: Refusal): void {
    this.#options.onLost(this, refusal, this.state === 'opening' ? 'opening' : 'open');
    this.#end(refusal);
  }

  #end(refusal: Refusal): void {
    this.state = 'closed';
    this.refusal = refusal;
    this.full = false;
    this.#out = [];
    noteUnsent(this.#runs, this.#queued);
    for (const run of this.#runs.splice(0)) {
      if (run.replica !== undefined) run.replica.outstanding -= run.count - run.answered;
      run.owner.lost(run, refusal);
    }
    this.#tell();
  }

  #tell(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.lineChanged(this);
  }

  // ---- answers

  #received(chunk: Uint8Array): void {
    try {
      if (this.#raw !== undefined && this.idle) this.#raw(chunk);
      else this.#read(chunk);
    } catch (error) {
      if (!(error instanceof RespError)) throw error;
      this.#breach(`it does not speak RESP: ${error.message}`);
    }
  }

  /** A server that cannot be followed: whose answer is whose is no longer known. */
  #breach(why: string): void {
    if (this.state === 'closed') return;
    this.#wire.destroy();
    this.#lost({ why, error: undefined });
  }

  #read(received: Uint8Array): void {
    this.#answerTime.received(this.#options.now);
    const held = this.#cut;
    this.#cut = undefined;
    const chunk = held === undefined ? received : Buffer.concat([held, received]);
    // What was held has been scanned already, up to where it stopped.
    let at = held?.length ?? 0;
    /** Where what was not yet handed over begins, and how many answers of the oldest run it completes. */
    let from = 0;
    let answers = 0;
    /** Where the current answer begins; −1: in an earlier chunk. */
    let start = held === undefined && !this.#scanner.between ? -1 : 0;
    for (;;) {
      if (this.#raw !== undefined && this.idle) {
        if (at < chunk.length) this.#raw(chunk.subarray(at));
        return;
      }
      const event = this.#scanner.next(chunk, at);
      at = this.#scanner.offset;
      if (event === ReplyEvent.more) break;
      const run = this.#runs[0];
      if (event === ReplyEvent.push) {
        if (from < start) this.#hand(chunk.subarray(from, start), answers);
        if (this.exclusive) this.onPush?.(chunk.subarray(Math.max(start, 0), at));
        answers = 0;
        from = start = at;
        continue;
      }
      // What is queued has not been asked yet.
      if (run === undefined || answers >= this.#underWay) {
        this.#breach('it sent an answer nobody asked for');
        return;
      }
      const isError = start >= 0 && chunk[start] === minus;
      // A MULTI or EXEC that was refused leaves the connection as nobody here supposes.
      if (isError && this.exclusive) this.dirty = true;
      if (isError) run.owner.failed?.(run, run.answered + answers);
      const rejection = isError ? rejectionIn(chunk, start, at) : undefined;
      if (isError && rejection === undefined) this.#options.onErrorReply(this);
      if (rejection !== undefined) {
        if (from < start) this.#hand(chunk.subarray(from, start), answers);
        this.#reject(rejection, chunk.subarray(start, at));
        answers = 0;
        from = at;
      } else if (run.answered + ++answers === run.count) {
        this.#hand(chunk.subarray(from, at), answers);
        answers = 0;
        from = at;
      }
      start = at;
      if (this.state !== 'open') return;
    }
    this.#settle(chunk, from, start, answers);
    this.#leave();
  }

  /** The chunk is used up: the last answer may have arrived in part. */
  #settle(chunk: Uint8Array, from: number, start: number, answers: number): void {
    let end = chunk.length;
    if (start >= 0 && start < end && (chunk[start] === minus || chunk[start] === greater)) {
      this.#cut = Buffer.from(chunk.subarray(start));
      end = start;
    }
    if (from === end) return;
    if (this.#runs.length === 0) {
      this.#breach('it sent an answer nobody asked for');
      return;
    }
    this.#hand(chunk.subarray(from, end), answers);
  }

  #hand(bytes: Uint8Array, answers: number): void {
    const run = this.#runs[0] as Run;
    run.answered += answers;
    if (run.replica !== undefined) run.replica.outstanding -= answers;
    run.partial = !this.#scanner.between && this.#cut === undefined;
    if (run.answered === run.count) this.#runs.shift();
    this.#answeredBatch(answers);
    run.owner.answered(run, bytes, answers);
  }

  #reject(rejection: Rejection, bytes: Uint8Array): void {
    const run = this.#runs[0] as Run;
    run.answered += 1;
    if (run.replica !== undefined) run.replica.outstanding -= 1;
    run.partial = false;
    if (run.answered === run.count) this.#runs.shift();
    this.#answeredBatch(1);
    run.owner.rejected(run, rejection, bytes);
  }
}
