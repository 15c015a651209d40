/**
 * Requests of one owner that left for one line together. The line counts their answers; the owner decides what becomes of
 * them. One object serves a whole pipeline: nothing is allocated per command.
 */

import type { Replica } from '../topology/replica.ts';
import type { Line } from './line.ts';
import type { Refusal } from './welcome.ts';

/** Errors with which a server turns a command away before executing it, by their first word. */
export const rejections = [
  'READONLY',
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'ASK',
  'NOSCRIPT',
] as const;
export type Rejection = (typeof rejections)[number];

export interface RunOwner {
  /** Bytes that answer `run`; they complete `answers` of its requests (0: part of one). */
  answered(run: Run, bytes: Uint8Array, answers: number): void;
  /** One request of `run` was answered with a rejection: `bytes` is the whole error. */
  rejected(run: Run, rejection: Rejection, bytes: Uint8Array): void;
  /** The answer to request number `at` of `run`, counted from 0, is an error, rejections included. */
  failed?(run: Run, at: number): void;
  /** The line is gone and owes this run answers. `run.partial`: a part of one has been handed over. */
  lost(run: Run, refusal: Refusal): void;
}

export class Run {
  owner: RunOwner;
  readonly line: Line;
  /** Requests sent. */
  count = 0;
  /** Answers handed to the owner, rejections included. */
  answered = 0;
  /** The next answer has been handed over in part. */
  partial = false;
  sentAtMs = 0;
  /** Of a line that is lost: of its requests without an answer, the last so many were still here. */
  unsent = 0;
  /** The replica it went to, whose commands under way the line counts. */
  replica: Replica | undefined;

  constructor(owner: RunOwner, line: Line) {
    this.owner = owner;
    this.line = line;
  }

  get done(): boolean {
    return this.answered === this.count;
  }
}

/** Their line is lost, and the last `queued` requests have not been written to it. */
export function noteUnsent(runs: readonly Run[], queued: number): void {
  let left = queued;
  for (const run of runs.toReversed()) {
    run.unsent = Math.min(left, run.count - run.answered);
    left -= run.unsent;
  }
}

/** Owns what nobody waits for any longer: the client is gone, or the answer is ours alone. */
export const nobody: RunOwner = { answered: () => {}, rejected: () => {}, lost: () => {} };
