/**
 * What a session owes its client: runs in the order of their requests, each with the answers it has got so far.
 *
 * The oldest run's answers go to the client as they come; those of younger runs wait until it is complete. So answers
 * come in order however many servers they come from, and nothing is copied while there is only one.
 */

import { nobody } from '../upstream/run.ts';
import type { Shard } from '../topology/realm.ts';
import type { Line } from '../upstream/line.ts';
import type { Sent } from './sent.ts';

export class Ledger {
  /** Requests without an answer. */
  unanswered = 0;
  /** Bytes of requests kept for sending again. */
  keptBytes = 0;
  /** Bytes of answers that wait for earlier ones. */
  waitingBytes = 0;
  readonly #out: (bytes: Uint8Array) => void;
  readonly #done: (run: Sent) => void;
  #runs: Sent[] = [];

  /** `done`: all of a run is answered, and its requests will not be sent again. */
  constructor(out: (bytes: Uint8Array) => void, done: (run: Sent) => void) {
    this.#out = out;
    this.#done = done;
  }

  get empty(): boolean {
    return this.#runs.length === 0;
  }

  get runs(): readonly Sent[] {
    return this.#runs;
  }

  /** The youngest run; undefined when nothing is owed. */
  get last(): Sent | undefined {
    return this.#runs.at(-1);
  }

  /** No server owes an answer. */
  get answered(): boolean {
    return this.#runs.every((run) => run.done);
  }

  /** The youngest run that a server of `shard` still owes answers to. */
  lastOf(shard: Shard): Sent | undefined {
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i] as Sent;
      if (run.shard === shard && !run.done) return run;
    }
    return undefined;
  }

  /** Every answer a server owes is owed by `line`; with `shard`, every one that a server of that owes. */
  onlyAt(line: Line, shard?: Shard): boolean {
    for (const run of this.#runs) {
      if (run.line !== line && !run.done && (shard === undefined || run.shard === shard)) return false;
    }
    return true;
  }

  /** Nothing that a server still owes an answer to may change anything. */
  get onlyReads(): boolean {
    for (const run of this.#runs) if (run.lastMutating > 0 && !run.done) return false;
    return true;
  }

  add(run: Sent): void {
    this.#runs.push(run);
  }

  /** `count` more requests of `run` have been sent; `bytes` keeps them, undefined when they are too large to keep. */
  sent(run: Sent, count: number, bytes: Uint8Array | undefined): void {
    run.expected += count;
    this.unanswered += count;
    if (bytes === undefined) {
      run.streamed = true;
      return;
    }
    run.bytes.push(bytes);
    run.keptBytes += bytes.length;
    this.keptBytes += bytes.length;
  }

  /** Answers of a run, in its order. */
  deliver(run: Sent, bytes: Uint8Array, answers: number): void {
    run.delivered += answers;
    this.unanswered -= answers;
    if (!run.mute) {
      if (run === this.#runs[0]) this.#out(bytes);
      else {
        run.parts.push(bytes);
        this.waitingBytes += bytes.length;
      }
    }
    if (run.delivered === run.expected && run === this.#runs[0]) this.#next();
  }

  /**
   * Takes the requests of `run` from number `from` on out, and all of every younger run: they will be asked again. What
   * the servers still answer to them is for nobody. They are copies: the bytes themselves may still wait to leave.
   */
  takeFrom(run: Sent, from: number): Uint8Array[] {
    const at = this.#runs.indexOf(run);
    const taken: Uint8Array[] = [this.#cut(run, from)];
    for (const younger of this.#runs.splice(at + 1)) {
      taken.push(Buffer.from(younger.requestsFrom(0)));
      this.unanswered -= younger.expected - younger.delivered;
      this.keptBytes -= younger.keptBytes;
      for (const part of younger.parts) this.waitingBytes -= part.length;
      younger.owner = nobody;
    }
    if (run.delivered === run.expected && at === 0) this.#next();
    return taken;
  }

  /** Nobody waits for anything any more. */
  forget(): void {
    for (const run of this.#runs) run.owner = nobody;
    this.#runs = [];
    this.unanswered = 0;
    this.keptBytes = 0;
    this.waitingBytes = 0;
  }

  /** What is left of it stays where it is: answers that wait for those of earlier runs. */
  #cut(run: Sent, from: number): Uint8Array {
    this.unanswered -= run.expected - run.delivered;
    const taken = Buffer.from(run.cut(from));
    this.keptBytes -= taken.length;
    run.owner = nobody;
    return taken;
  }

  /** The oldest run is complete: it goes, and the next hands out what it has. */
  #next(): void {
    for (;;) {
      const done = this.#runs.shift();
      if (done !== undefined) {
        this.keptBytes -= done.keptBytes;
        this.#done(done);
      }
      const head = this.#runs[0];
      if (head === undefined) return;
      for (const part of head.parts.splice(0)) {
        this.waitingBytes -= part.length;
        this.#out(part);
      }
      if (head.delivered < head.expected) return;
    }
  }
}
