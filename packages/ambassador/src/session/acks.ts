/**
 * `writeAcks`: the answers of a run with writes are kept back until so many replicas have what it wrote. WAIT asks that
 * of everything written on its connection before, so one behind the run's last write speaks for all of them; and since
 * it blocks its connection, such runs go on a connection of the session's own.
 */

import { decodeReply, encodeCommand, encodeError, ReplyEvent, ReplyScanner } from '@outrigger/core/resp';
import type { Command } from '../commands/command.ts';
import type { Line } from '../upstream/line.ts';
import { Run } from '../upstream/run.ts';
import type { RunOwner } from '../upstream/run.ts';
import type { Refusal } from '../upstream/welcome.ts';
import type { Sent } from './sent.ts';
import type { Session } from './session.ts';

export interface WriteAcks {
  /** Replicas that must have a write; 0: none. */
  readonly replicas: number;
  readonly timeoutMs: number;
}

const minus = 0x2d;

/** Whether `command` is to be acknowledged. Within a transaction EXEC is the write. */
export function wantsAcks(session: Session, command: Command): boolean {
  if (session.context.writeAcks().replicas === 0 || session.own.inMulti) return false;
  switch (command.route) {
    case 'write':
    case 'script':
    case 'blocking':
      return command.mutates;
    default:
      return command.route === 'exec';
  }
}

export class AckedRun implements RunOwner {
  /** Which of the run's requests, counted from 0, are writes. */
  readonly writes: number[] = [];
  readonly #session: Session;
  readonly #run: Sent;
  #answers: Uint8Array[] = [];
  #count = 0;

  constructor(session: Session, run: Sent) {
    this.#session = session;
    this.#run = run;
  }

  /** Answers are kept back. */
  get holds(): boolean {
    return this.#answers.length > 0;
  }

  /** The run has been sent: asks for the acknowledgement of all of it. */
  ask(line: Line): void {
    const { replicas, timeoutMs } = this.#session.context.writeAcks();
    const request = encodeCommand(['WAIT', Math.max(replicas, 1), Math.max(Math.ceil(timeoutMs), 1)]);
    line.send(new Run(this, line), request, 1);
  }

  /** Keeps answers of the run back. */
  hold(bytes: Uint8Array, answers: number): void {
    this.#answers.push(bytes);
    this.#count += answers;
  }

  // ---- RunOwner: what WAIT answers

  answered(run: Run, bytes: Uint8Array): void {
    if (run.partial || this.#run.acks !== this) return;
    const reply = decodeReply(bytes);
    const have = reply.type === 'integer' ? Number(reply.value) : 0;
    const { replicas } = this.#session.context.writeAcks();
    this.#release(have >= replicas ? undefined : `${have} of ${replicas} replicas`);
  }

  rejected(run: Run, _rejection: unknown, bytes: Uint8Array): void {
    this.answered(run, bytes);
  }

  lost(_run: Run, refusal: Refusal): void {
    this.#session.lost(this.#run, refusal);
  }

  #release(missing: string | undefined): void {
    const bytes =
      this.#answers.length === 1 ? (this.#answers[0] as Uint8Array) : Buffer.concat(this.#answers);
    const count = this.#count;
    this.#run.acks = undefined;
    this.#answers = [];
    this.#session.answers.take(
      this.#run,
      missing === undefined ? bytes : this.#refuted(bytes, missing),
      count,
    );
  }

  /** The answers, each write's replaced unless it is an error. */
  #refuted(bytes: Uint8Array, missing: string): Uint8Array {
    const { counters, writeAcks } = this.#session.context;
    const { name } = this.#run.line.server;
    const error = encodeError(
      `OUTRIGGER write not acknowledged: ${missing} had it after ${writeAcks().timeoutMs} ms; it was executed at ${name}`,
    );
    const scanner = new ReplyScanner();
    const answers: Uint8Array[] = [];
    for (let at = 0; scanner.next(bytes, at) === ReplyEvent.end; at = scanner.offset) {
      const kept = bytes[at] === minus || !this.writes.includes(answers.length);
      if (!kept) counters.unacknowledged();
      answers.push(kept ? bytes.subarray(at, scanner.offset) : error);
    }
    return Buffer.concat(answers);
  }
}
