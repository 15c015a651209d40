/**
 * What becomes of requests whose server turned them away, or was lost.
 *
 * A rejected request has not been executed, so it may be asked again, even a write. But not out of order: if something
 * behind it in the pipeline has been executed meanwhile, asking again would swap effects. So from the first rejection on
 * the run's answers are kept back until all of them are known. Then either everything from there on is put back in front
 * of the client's requests and decided anew, or, when something behind it took effect, the client gets the servers' own
 * answers as they are.
 *
 * A lost server leaves no answer to go by. Reads are put back, and so is what had not left yet; what may have changed
 * something gets an error that says so, and is never sent again.
 */

import {
  decodeRequest,
  encodeCommand,
  encodeError,
  RequestEvent,
  RequestScanner,
} from '@outrigger/core/resp';
import { Class, Rejection as Kind } from '../observe/names.ts';
import type { Line } from '../upstream/line.ts';
import { nobody, Run } from '../upstream/run.ts';
import type { Rejection } from '../upstream/run.ts';
import type { Server } from '../upstream/server.ts';
import type { Refusal } from '../upstream/welcome.ts';
import type { Sent } from './sent.ts';
import type { Session } from './session.ts';

/** How to ask again. */
export interface Plan {
  readonly delayMs?: number;
  /** No replica this time. */
  readonly atPrimary?: boolean;
  /** This server, once. */
  readonly asked?: Server | undefined;
  /** Sent before it. */
  readonly prelude?: Uint8Array;
}

/** Times in a row that nothing came of asking again; then the client gets what there is. */
const maxAttempts = 8;
const firstDelayMs = 10;
const maxDelayMs = 200;
const silence = new Uint8Array(0);

export class Repeats {
  /** Answers are kept back: nothing more may be sent. */
  pending = false;
  /** The next request is not for a replica. */
  atPrimary = false;
  /** The next request is for this server. */
  asked: Server | undefined;
  readonly #session: Session;
  #prelude: Uint8Array | undefined;
  #plan: Plan = {};
  #attempts = 0;
  #sinceMs: number | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  get hasPrelude(): boolean {
    return this.#prelude !== undefined;
  }

  /** Sends what must come right before the request that is being accepted. */
  sendPrelude(line: Line): void {
    if (this.#prelude !== undefined) line.send(new Run(nobody, line), this.#prelude, 1);
    this.#prelude = undefined;
  }

  /** A request was placed, or answered without a server: what was special about it is over. */
  placed(): void {
    this.use({});
  }

  /** How the next request is to be asked. */
  use(plan: Plan): void {
    this.atPrimary = plan.atPrimary ?? false;
    this.asked = plan.asked;
    this.#prelude = plan.prelude;
    if (plan.delayMs !== undefined) this.#session.gate.pauseFor(plan.delayMs);
  }

  /** The client has got an answer. */
  progressed(): void {
    this.#attempts = 0;
    this.#sinceMs = undefined;
    this.reconsider();
  }

  /** There is one more answer: it may be the one that what was rejected elsewhere has waited for. */
  reconsider(): void {
    if (this.pending) this.#judge();
  }

  /** False: the rejection is the answer. */
  rejected(run: Sent, rejection: Rejection, bytes: Uint8Array): boolean {
    const { counters } = this.#session.context;
    counters.rejected(kinds[rejection], run.serverIndex);
    if (run.rejectedAt < 0) {
      const plan = this.#planFor(run, rejection, Buffer.from(bytes).toString('latin1', 1, bytes.length - 2));
      if (plan === undefined) return false;
      if (run.part >= 0) return this.#partAgain(run, plan);
      run.rejectedAt = run.answered - 1;
      this.#plan = plan;
      this.pending = true;
    }
    run.kept.push(bytes);
    this.#judge();
    return true;
  }

  /** An answer behind a rejected one. */
  keep(run: Sent, bytes: Uint8Array): void {
    run.kept.push(bytes);
    run.executedBehind = true;
    this.#judge();
  }

  lost(run: Sent, refusal: Refusal): void {
    const session = this.#session;
    const { ledger } = session;
    if (run.part >= 0) {
      this.#partLost(run, refusal.why);
      return;
    }
    const mine = ledger.runs.filter(({ line }) => line === run.line);
    if (!mine.includes(run)) return;
    this.#doubtLost(run, refusal.why);
    if (run.partial && !run.mute) {
      session.abort(`${run.line.server.name} was lost in the middle of an answer: ${refusal.why}`);
      return;
    }
    for (const other of mine) {
      if (other.rejectedAt >= 0) this.#deliverKept(other);
      other.owner = nobody;
    }
    this.pending = false;
    const rooted = session.own.kept && run.place === 'own';
    this.#failUnknown(mine, refusal.why);
    const rest = mine.filter((other) => other.delivered < other.expected);
    const [first] = rest;
    if (this.#attempts >= maxAttempts) for (const other of rest) this.#giveUp(other, refusal.why);
    else if (first !== undefined) this.#again(first, first.delivered, {});
    if (rooted) session.finish();
  }

  /** Errors for everything up to the last request whose outcome nobody knows. */
  #failUnknown(mine: readonly Sent[], why: string): void {
    const last = mine.findLastIndex((run) => unrepeatable(run));
    const { context } = this.#session;
    for (const run of mine.slice(0, last + 1)) {
      const whole = run !== mine[last] || run.place === 'own' || run.streamed;
      const left = (whole ? run.expected : run.lastAtLarge) - run.delivered;
      if (left <= 0) continue;
      context.counters.outcomeUnknown(left);
      const error = unknownOutcome(run, why);
      if (run.streamed && this.#session.feed.streaming) {
        // Its answer comes when the rest of it has been swallowed; nothing else is owed.
        this.#session.ledger.takeFrom(run, run.delivered);
        this.#session.outbox.swallow(run.mute ? silence : error);
        continue;
      }
      for (let i = 0; i < left; i++) this.#session.ledger.deliver(run, error, 1);
    }
  }

  #partLost(run: Sent, why: string): void {
    const { gathering, context } = this.#session;
    this.#doubtLost(run, why);
    run.kept = [];
    run.acks = undefined;
    // Nobody owes it any more: the parts that are still to be asked must not wait for it.
    run.answered = run.count;
    if (run.lastAtLarge > 0) {
      context.counters.outcomeUnknown(1);
      gathering?.answered(run, unknownOutcome(run, why));
    } else if ((gathering?.tried(run).attempts ?? 0) < maxAttempts) this.#partAgain(run, {});
    else gathering?.answered(run, noAnswer(run, why));
  }

  #partAgain(run: Sent, plan: Plan): true {
    const { gathering, context } = this.#session;
    context.counters.repeated(1);
    run.acks = undefined;
    gathering?.again(run, plan);
    this.#session.advance();
    return true;
  }

  #judge(): void {
    const { ledger } = this.#session;
    const run = ledger.runs.find((one) => one.rejectedAt >= 0);
    if (run === undefined) {
      this.pending = false;
      return;
    }
    const same = ledger.runs.slice(ledger.runs.indexOf(run)).filter((other) => other.line === run.line);
    if (same.some((other) => !other.done && lasting(other))) return;
    const swapped =
      (run.executedBehind && run.mutatesFrom(run.rejectedAt + 1)) ||
      same.slice(1).some((other) => lasting(other) && executedAny(other));
    const spent = this.#attempts >= maxAttempts && this.#plan.delayMs === undefined;
    if (!swapped && !spent) {
      this.pending = false;
      this.#again(run, run.rejectedAt, this.#plan);
      // What was put back is to be looked at, though the client has sent nothing new.
      this.#session.advance();
      return;
    }
    for (const other of same) if (other.rejectedAt >= 0) this.#deliverKept(other);
    this.pending = false;
  }

  /** The client gets what was kept back, as it is. */
  #deliverKept(run: Sent): void {
    const answers = run.answered - run.rejectedAt;
    const { kept } = run;
    run.kept = [];
    run.rejectedAt = -1;
    run.settled = true;
    if (run.acks === undefined) this.#session.ledger.deliver(run, Buffer.concat(kept), answers);
    else run.acks.hold(Buffer.concat(kept), answers);
  }

  #giveUp(run: Sent, why: string): void {
    const error = noAnswer(run, why);
    for (let left = run.expected - run.delivered; left > 0; left--) {
      this.#session.ledger.deliver(run, error, 1);
    }
  }

  #again(run: Sent, from: number, plan: Plan): void {
    const session = this.#session;
    this.#attempts++;
    this.#sinceMs ??= session.ports.now();
    const { counters } = session.context;
    counters.repeated(run.expected - from);
    // CLIENT REPLY SKIP waits until nothing is owed, so what it silences is the oldest request that is put back.
    if (run.mute && session.state.reply === 'on') session.state.reply = 'skip';
    session.feed.putBack(session.ledger.takeFrom(run, from));
    this.use(plan);
  }

  /** Undefined: not to be asked again. */
  #planFor(run: Sent, rejection: Rejection, text: string): Plan | undefined {
    const { context, ports } = this.#session;
    const { realm } = run;
    const atReplica = run.place === 'replica';
    this.#doubt(run, rejection, text);
    if (run.capture !== undefined || run.streamed || run.settled) return undefined;
    if (run.rooted) return undefined;
    const { gathering } = this.#session;
    const { attempts, sinceMs = ports.now() } =
      run.part >= 0 && gathering !== undefined
        ? gathering.tried(run)
        : { attempts: this.#attempts, sinceMs: this.#sinceMs };
    const inTime = ports.now() - sinceMs < context.failoverWaitMs();
    const later = inTime ? { delayMs: this.#delay(attempts) } : undefined;
    switch (rejection) {
      case 'READONLY':
        if (atReplica) return { atPrimary: true };
        // Within a script it may have done something before it met the read-only server.
        return text.includes('script') ? undefined : later;
      case 'LOADING':
      case 'MASTERDOWN':
        return atReplica ? {} : later;
      case 'CLUSTERDOWN':
      case 'TRYAGAIN':
        return realm.clustered ? later : undefined;
      case 'MOVED':
        return realm.clustered && attempts < maxAttempts ? {} : undefined;
      case 'ASK':
        return realm.clustered && attempts < maxAttempts ? this.#ask(run, text) : undefined;
      case 'NOSCRIPT':
        return this.#loadScript(run);
    }
  }

  #ask(run: Sent, text: string): Plan {
    const [, , to = ''] = text.split(' ');
    return { asked: run.realm.serverAt(to), prelude: encodeCommand(['ASKING']) };
  }

  #loadScript(run: Sent): Plan | undefined {
    if (run.commandClass !== Class.script || this.#attempts >= maxAttempts) return undefined;
    const [name, sha] = decodeRequest(firstRequest(run.requestsFrom(run.answered - 1)));
    if (sha === undefined || !/^EVALSHA/i.test(name?.toString('latin1') ?? '')) return undefined;
    const prelude = this.#session.context.scripts.load(sha.toString('latin1'), run.scriptsKnown);
    if (prelude !== undefined) return { prelude };
    // A replica may not have been told of it; the primary is asked before the client hears of it.
    return run.place === 'replica' ? { atPrimary: true } : undefined;
  }

  #doubt(run: Sent, rejection: Rejection, text: string): void {
    const server = run.line.server.name;
    const { realm } = run;
    if (rejection === 'ASK' && realm.clustered) realm.doubt({ kind: 'asked', server });
    if (run.place === 'replica') {
      if (rejection === 'LOADING' || rejection === 'MASTERDOWN') this.#replicaFailed(run, text);
      if (rejection !== 'MOVED') return;
    }
    if (rejection === 'READONLY') realm.doubt({ kind: 'readonly', server });
    if (rejection === 'CLUSTERDOWN') realm.doubt({ kind: 'clusterdown', server });
    if (rejection !== 'MOVED') return;
    const [, slot = '', to = ''] = text.split(' ');
    this.#session.context.counters.redirected(1);
    realm.doubt({ kind: 'moved', slot: Number(slot), to });
  }

  #doubtLost(run: Sent, why: string): void {
    if (run.place === 'replica') this.#replicaFailed(run, why);
    else run.realm.doubt({ kind: 'lost', server: run.line.server.name });
  }

  #replicaFailed(run: Sent, why: string): void {
    const { shard } = run;
    for (const replica of shard.topology.replicas) {
      if (replica.name === run.line.server.name) shard.topology.replicaFailed(replica, why);
    }
    shard.needRound();
  }

  #delay(attempts: number): number {
    const delay = Math.min(firstDelayMs * 2 ** attempts, maxDelayMs);
    return delay * (0.5 + this.#session.context.random.next() / 2);
  }
}

const kinds: Readonly<Record<Rejection, (typeof Kind)[keyof typeof Kind]>> = {
  READONLY: Kind.readonly,
  LOADING: Kind.loading,
  MASTERDOWN: Kind.masterdown,
  CLUSTERDOWN: Kind.clusterdown,
  TRYAGAIN: Kind.tryagain,
  MOVED: Kind.moved,
  ASK: Kind.ask,
  NOSCRIPT: Kind.noscript,
};

/** Something it still owes may have taken effect, or cannot be sent again. */
function unrepeatable(run: Sent): boolean {
  const owes = run.delivered < run.expected;
  return owes && (run.streamed || run.place === 'own' || run.lastAtLarge > run.delivered);
}

function unknownOutcome(run: Sent, why: string): Uint8Array {
  return encodeError(
    `OUTRIGGER write outcome unknown: ${run.line.server.name} was lost before it answered (${why}); the command may or may not have been executed`,
  );
}

function noAnswer(run: Sent, why: string): Uint8Array {
  return encodeError(
    `OUTRIGGER no answer: ${run.line.server.name}: ${why}; it was tried ${maxAttempts} times`,
  );
}

/** It leaves something behind: in the data, or, as MULTI and WATCH do, in its connection. */
function lasting(run: Sent): boolean {
  return run.lastMutating > 0 || run.rooted;
}

/** At least one of its requests was executed rather than rejected. */
function executedAny(run: Sent): boolean {
  return run.rejectedAt < 0 ? run.answered > 0 : run.rejectedAt > 0 || run.executedBehind;
}

/** The first of these requests. */
function firstRequest(bytes: Uint8Array): Uint8Array {
  const scanner = new RequestScanner();
  let at = 0;
  while (scanner.next(bytes, at) !== RequestEvent.end) at = scanner.offset;
  return bytes.subarray(0, scanner.offset);
}
