/** The requests a session has sent and has no answer to: in runs, as they were sent, with what it takes to repeat reads. */

import { RequestEvent, RequestScanner } from '@outrigger/core/resp';
import type { Role } from './ports.ts';

/** Requests that lost their server. */
export interface Unanswered {
  readonly count: number;
  /** Of the reads among them; empty when the requests were not kept. */
  readonly bytes: Uint8Array;
  /** They have been sent twice already. */
  readonly repeated: boolean;
}

interface Run {
  count: number;
  readonly sentAtMs: number;
  /** The requests, kept for reads at a replica; the first `answered` of them have their answer. */
  readonly bytes: Uint8Array | undefined;
  answered: number;
  readonly repeated: boolean;
}

export class Sent {
  /** Requests without an answer, those not yet flushed included. */
  count = 0;
  /** Who owes the answers, if any are owed: one server at a time. */
  to: Role = 'primary';
  /** Bytes kept for repeating. */
  keptBytes = 0;
  #runs: Run[] = [];
  #unflushed = 0;

  owes(role: Role): boolean {
    return this.count > 0 && this.to === role;
  }

  add(): void {
    this.count++;
    this.#unflushed++;
  }

  /** The requests added since the last flush have been sent; `bytes` keeps them. */
  flush(nowMs: number, bytes: Uint8Array | undefined): void {
    // More of a request that is already counted.
    if (this.#unflushed === 0) return;
    this.#push({ count: this.#unflushed, sentAtMs: nowMs, bytes, answered: 0, repeated: false });
    this.#unflushed = 0;
  }

  addRepeated(unanswered: Unanswered, nowMs: number): void {
    this.count += unanswered.count;
    this.#push({ count: unanswered.count, sentAtMs: nowMs, bytes: undefined, answered: 0, repeated: true });
  }

  /** The oldest `answers` requests are answered; tells the time each took, in seconds. */
  answered(answers: number, nowMs: number, took: (seconds: number) => void): void {
    this.count -= answers;
    for (let left = answers; left > 0;) {
      const run = this.#runs[0] as Run;
      const step = Math.min(left, run.count - run.answered);
      for (let i = 0; i < step; i++) took((nowMs - run.sentAtMs) / 1000);
      run.answered += step;
      left -= step;
      if (run.answered === run.count) this.#shift();
    }
  }

  /** Forgets everything sent, and gives what is needed to repeat it. */
  takeAll(): Unanswered {
    const bytes = Buffer.concat(this.#runs.map(remaining));
    const repeated = this.#runs.some((run) => run.repeated);
    const { count } = this;
    this.#runs = [];
    this.#unflushed = 0;
    this.count = 0;
    this.keptBytes = 0;
    return { count, bytes, repeated };
  }

  #push(run: Run): void {
    this.#runs.push(run);
    this.keptBytes += run.bytes?.length ?? 0;
  }

  #shift(): void {
    const run = this.#runs.shift();
    this.keptBytes -= run?.bytes?.length ?? 0;
  }
}

/** A run's requests behind those already answered. */
function remaining(run: Run): Uint8Array {
  if (run.bytes === undefined) return new Uint8Array(0);
  const scanner = new RequestScanner();
  let at = 0;
  for (let skip = run.answered; skip > 0;) {
    if (scanner.next(run.bytes, at) === RequestEvent.end) skip--;
    at = scanner.offset;
  }
  return run.bytes.subarray(at);
}
