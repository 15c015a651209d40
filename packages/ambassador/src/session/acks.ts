/**
 * `writeAcks`: the answers of a run with writes are kept back until so many replicas have what it wrote. WAIT asks that
 * of everything written on its connection before, so one behind the run's last write speaks for all of them; and since
 * it blocks its connection, such runs go on a connection of the session's own.
 */

import { decodeReply, encodeCommand, encodeError, ReplyEvent, ReplyScanner } from '@outrigger/core/resp';
import type { Command } from '../commands/command.ts';
import type { Line } from '../upstream/line.ts';
import { nobody, Run } from '../upstream/run.ts';
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
const underscore = 0x5f;
const nothing = new Uint8Array(0);

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
  /** Which of the run's requests, counted from 0, are writes; and whether null says that nothing was written. */
  readonly writes = new Map<number, boolean>();
  readonly #session: Session;
  readonly #run: Sent;
  #answers: Uint8Array[] = [];
  #count = 0;
  /** What was missing, '' when nothing was; undefined: not known, or told. */
  #verdict: string | undefined;
  /** What WAIT has answered so far. */
  #said: Uint8Array[] = [];

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
    if (this.#verdict !== undefined) {
      this.#run.acks = undefined;
      this.#session.ledger.deliver(this.#run, this.#judged(bytes, this.#verdict), answers);
      return;
    }
    this.#answers.push(bytes);
    this.#count += answers;
  }

  // ---- RunOwner: what WAIT answers

  answered(run: Run, bytes: Uint8Array): void {
    this.#said.push(Buffer.from(bytes));
    if (run.partial) return;
    if (this.#settled) {
      // Its connection owes nothing by now: whoever has waited for that may go on.
      this.#session.advance();
      return;
    }
    const reply = decodeReply(Buffer.concat(this.#said));
    const have = reply.type === 'integer' ? Number(reply.value) : 0;
    const { replicas } = this.#session.context.writeAcks();
    const missing = have >= replicas ? '' : `${have} of ${replicas} replicas`;
    // Something of it was rejected: whether the rest is asked for again, or is what the client gets, is not known yet.
    if (this.#run.rejectedAt >= 0) this.#verdict = missing;
    else this.#release(missing);
  }

  rejected(run: Run, _rejection: unknown, bytes: Uint8Array): void {
    this.answered(run, bytes);
  }

  lost(_run: Run, refusal: Refusal): void {
    if (!this.#settled) this.#session.lost(this.#run, refusal);
  }

  /** The run is asked for again, or for nobody any more. */
  get #settled(): boolean {
    return this.#run.acks !== this || this.#run.owner === nobody;
  }

  #release(missing: string): void {
    const [first = nothing, ...more] = this.#answers;
    const bytes = more.length === 0 ? first : Buffer.concat(this.#answers);
    const count = this.#count;
    this.#run.acks = undefined;
    this.#answers = [];
    this.#session.answers.take(this.#run, this.#judged(bytes, missing), count);
  }

  #judged(bytes: Uint8Array, missing: string): Uint8Array {
    return missing === '' ? bytes : this.#refuted(bytes, missing);
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
      const reply = bytes.subarray(at, scanner.offset);
      const orNull = this.writes.get(answers.length);
      const kept = orNull === undefined || reply[0] === minus || (orNull && isNull(reply));
      if (!kept) counters.unacknowledged();
      answers.push(kept ? reply : error);
    }
    return Buffer.concat(answers);
  }
}

function isNull(reply: Uint8Array): boolean {
  return reply[0] === underscore || Buffer.from(reply.subarray(1, 3)).toString('latin1') === '-1';
}
