/**
 * One client connection: which server each of its requests goes to, and when.
 *
 * Three rules keep the client from noticing that there are several servers:
 * - Answers leave in the order of the requests (ledger.ts), whoever gives them.
 * - Effects keep that order too. What may change something waits until nothing is owed elsewhere; behind it, nothing is
 *   sent elsewhere until it is answered. Only reads may be under way at several servers at once: of different shards, or
 *   where the client has asked for no more than eventual consistency.
 * - What leaves something in its connection gets a connection of its own (own-line.ts) for as long as that lasts; what
 *   nobody can follow is passed through untouched (raw.ts).
 *
 * What has to be asked again (repeats.ts) is put back in front of what the client sends next, and decided anew.
 *
 * The session decides; `SessionPorts` does. Nothing here knows a socket.
 */

import { decodeRequest, encodeError } from '@outrigger/core/resp';
import type { Command } from '../commands/command.ts';
import { answerLocally } from '../locals/answer.ts';
import { takeMuted } from '../locals/mute.ts';
import { factsOf } from '../observe/facts.ts';
import type { SessionFacts } from '../observe/facts.ts';
import { Bytes, Held } from '../observe/names.ts';
import type { Shard } from '../topology/realm.ts';
import type { Line, LineWaiter } from '../upstream/line.ts';
import type { Refusal } from '../upstream/welcome.ts';
import { Answers } from './answers.ts';
import { RequestFeed } from './feed.ts';
import type { Gathering } from './gathering.ts';
import { Gate } from './gate.ts';
import type { Heavy } from './heavy.ts';
import { Lacking } from './lacking.ts';
import { Ledger } from './ledger.ts';
import { LocalStep } from './local-step.ts';
import { Naming } from './naming.ts';
import { Outbox } from './outbox.ts';
import { OwnLine } from './own-line.ts';
import { Passing } from './passing.ts';
import { Placing } from './placing.ts';
import type { SessionContext, SessionPorts } from './ports.ts';
import type { Reads } from './reads.ts';
import { Repeats } from './repeats.ts';
import type { Sent } from './sent.ts';
import { ShardReads } from './shard-reads.ts';
import type { SessionState } from './state.ts';
import { Waiting } from './waiting.ts';

const silence = new Uint8Array(0);

export class Session implements LineWaiter {
  readonly state: SessionState;
  readonly ports: SessionPorts;
  readonly context: SessionContext;
  readonly feed: RequestFeed;
  readonly ledger: Ledger;
  readonly own: OwnLine;
  readonly outbox: Outbox;
  readonly answers: Answers;
  readonly waiting: Waiting;
  readonly placing: Placing;
  readonly lacking: Lacking;
  readonly repeats: Repeats;
  readonly gate: Gate;
  readonly passing: Passing;
  /** The request that is being decided on. */
  command: Command;
  /** The command over several shards that is being asked. */
  gathering: Gathering | undefined;
  /** While its answers are large. */
  heavy: Heavy | undefined;
  readonly #local: LocalStep;
  readonly #reads: ShardReads;
  readonly #naming: Naming;
  #args: readonly Buffer[] | undefined;
  #advancing = false;
  #again = false;
  #clientEnded = false;
  #draining = false;
  #blockedUntilMs = Number.POSITIVE_INFINITY;
  #over = false;

  constructor(ports: SessionPorts, context: SessionContext, state: SessionState) {
    const { limits, table, servers, counters } = context;
    this.ports = ports;
    this.context = context;
    this.state = state;
    this.command = table.unknown;
    this.feed = new RequestFeed(table, limits.maxHeldBytes, limits);
    this.ledger = new Ledger(
      (bytes) => this.toClient(bytes),
      (run) => this.outbox.answered(run),
    );
    this.own = new OwnLine(servers, state, counters, (bytes) => this.toClient(bytes));
    this.outbox = new Outbox(this);
    this.answers = new Answers(this);
    this.waiting = new Waiting(ports, context, this);
    this.placing = new Placing(this);
    this.lacking = new Lacking(this);
    this.repeats = new Repeats(this);
    this.gate = new Gate(this);
    this.#local = new LocalStep(this);
    this.#reads = new ShardReads(this);
    this.#naming = new Naming(this);
    this.passing = new Passing(this);
  }

  onClientData(chunk: Uint8Array): void {
    if (this.#over) return;
    this.context.counters.bytes(Bytes.fromClient, chunk.length);
    this.context.budget.came(chunk.length);
    this.state.lastMs = this.ports.now();
    this.feed.push(chunk);
    this.advance();
  }

  /** The client sends no more; it may still read. */
  onClientEnd(): void {
    this.#clientEnded = true;
    this.advance();
  }

  /** The client has taken what it was behind with. */
  onClientDrained(): void {
    this.own.line?.resume();
    this.heavy?.resume();
    this.advance();
  }

  /** Primaries, replicas or what they have proven: something changed. */
  onRealmChanged(): void {
    this.advance();
  }

  onWake(): void {
    this.waiting.woken();
    this.advance();
  }

  lineChanged(line: Line): void {
    this.waiting.lineChanged(line);
    if (this.own.line === line) {
      if (line.state === 'closed') this.#ownLost();
      else line.wait(this);
    }
    this.advance();
  }

  /** No further requests: what has been received whole is answered, then the client is closed. */
  drain(): void {
    this.#draining = true;
    this.passing.raw?.drain();
    // Who waits for an element may wait for ever: it is told by the end of its connection, as with a server that ends.
    this.#blockedUntilMs = this.ports.now() + this.context.limits.drainQuietMs;
    this.waiting.wakeIn(this.context.limits.drainQuietMs);
    this.advance();
  }

  /** The client is gone. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    const joined = this.passing.raw !== undefined;
    this.passing.end();
    this.waiting.end();
    this.#local.end();
    this.#reads.end();
    const owed = joined || !this.ledger.empty;
    this.heavy?.end();
    this.ledger.forget();
    // What an open transaction or a watch has left in the connection is nobody else's.
    if (owed || this.own.kept) this.own.drop();
    else this.own.release();
  }

  lost(run: Sent, refusal: Refusal): void {
    if (this.#over) return;
    this.repeats.lost(run, refusal);
    this.advance();
  }

  /** Nothing is owed, and nothing accepted that has not been sent. */
  get quiet(): boolean {
    return this.ledger.empty && this.outbox.empty;
  }

  /** The client has asked nothing, and waits for nothing. */
  get idle(): boolean {
    return this.quiet && this.waiting.reason === undefined && this.passing.raw === undefined;
  }

  /** The arguments of the request shown. */
  get args(): readonly Buffer[] {
    this.#args ??= decodeRequest(this.feed.frame());
    return this.#args;
  }

  toClient(bytes: Uint8Array): void {
    this.context.counters.bytes(Bytes.toClient, bytes.length);
    this.context.budget.came(bytes.length);
    this.ports.toClient(bytes);
    if (this.ports.backlog <= this.context.limits.maxReplyBacklogBytes) return;
    this.own.line?.pause();
    this.heavy?.pause();
  }

  /** Answers the request shown ourselves, once nothing before it is owed. `loud`: even a client that wants no answers. */
  answer(bytes: Uint8Array, loud = false): boolean {
    if (this.gathering?.asking === true) {
      this.feed.drop();
      this.gathering.refused(bytes);
      return true;
    }
    if (!this.quiet) return this.waiting.hold(Held.order);
    this.outbox.flush();
    this.feed.drop();
    this.waiting.over();
    this.repeats.placed();
    const muted = this.#local.muted ?? takeMuted(this.state);
    const heard = muted && !loud ? silence : bytes;
    if (this.feed.streaming) this.outbox.swallow(heard);
    else if (heard.length > 0) this.toClient(heard);
    this.state.commands++;
    this.state.lastCommand = this.command.name;
    return true;
  }

  /** A rule forbids the request. Redis would not execute a transaction of which it has refused a part. */
  refused(error: string): boolean {
    const answered = this.answer(encodeError(error));
    if (answered) this.own.spoil();
    return answered;
  }

  /** The name as typed, where nobody knows the command. */
  typed(command: Command): string | undefined {
    return this.#naming.typed(command);
  }

  refuse(text: string, reason: string): boolean {
    const answered = this.refused(`OUTRIGGER ${text}`);
    if (answered) this.context.counters.refused(reason);
    return answered;
  }

  readsOf(shard: Shard): Reads {
    return this.#reads.of(shard);
  }

  /** What the command shown amounts to, its arguments considered; undefined while a server is asked about it. */
  known(): Command | undefined {
    this.#args = undefined;
    return this.#naming.known();
  }

  /** The server has confirmed RESET: the connection of its own goes, and routing begins anew. */
  wasReset(): void {
    if (this.#over) return;
    const { context, state, ports } = this;
    this.passing.end();
    this.own.drop();
    answerLocally([Buffer.from('RESET')], state, context.registry, ports.now(), context.auth());
    this.advance();
  }

  get bufferedBytes(): number {
    return this.ledger.keptBytes + this.ledger.waitingBytes + this.feed.heldBytes + this.ports.backlog;
  }

  facts(): SessionFacts {
    return factsOf(this, this.#reads.facts());
  }

  finish(): void {
    if (this.#over) return;
    this.ports.finish();
    this.end();
  }

  abort(why: string): void {
    if (this.#over) return;
    this.ports.abort(why);
    this.end();
  }

  advance(): void {
    // What is done below may call back at once: a line that is closed tells its runs.
    if (this.#advancing) {
      this.#again = true;
      return;
    }
    this.#advancing = true;
    do {
      this.#again = false;
      while (!this.#over && this.#step());
    } while (this.#again);
    this.#advancing = false;
    if (!this.#over) this.#rest();
  }

  #step(): boolean {
    if (this.passing.raw !== undefined) return this.passing.raw.step();
    switch (this.feed.next()) {
      case 'more':
        this.outbox.flush();
        return this.feed.turn();
      case 'frame':
        return this.#frame() || this.#sendOn();
      case 'large':
        return this.passing.large() || this.#sendOn();
      case 'streamed':
        return this.#streamEnded();
      case 'empty':
        this.outbox.flush();
        this.feed.drop();
        return true;
      case 'foreign':
        return this.passing.join('splice') || this.#sendOn();
    }
  }

  /** The request shown waits; those before it do not. */
  #sendOn(): false {
    this.outbox.flush();
    return false;
  }

  /** Nothing can be done at this moment: read on, wait, or end. */
  #rest(): void {
    const shown = this.feed.next();
    const { streaming } = this.feed;
    const raw = this.passing.raw !== undefined;
    if (!raw && shown === 'more') {
      // A write cut off in the middle is never answered: its connection is closed, and Redis forgets it.
      const cutOff = this.#clientEnded && streaming;
      const done = this.ledger.empty && (this.#clientEnded || (this.#draining && !streaming));
      if (cutOff || done) {
        this.finish();
        return;
      }
    }
    if (raw && this.#clientEnded && shown === 'more') this.passing.raw?.clientEnded();
    if (raw && this.#draining && this.passing.raw?.drained === true) {
      this.finish();
      return;
    }
    // Redis lets go at once of a client that leaves while it blocks: its end is to be seen behind what it sent ahead.
    const blocks = !this.ledger.empty && (this.state.pins.has('blocking') || this.state.pins.has('wait'));
    const quietMs = this.state.pins.has('blocking') ? this.#blockedUntilMs - this.ports.now() : Infinity;
    const waitedOut = quietMs <= 0;
    // A timer may come a fraction of a millisecond early.
    if (blocks && !waitedOut && quietMs < Infinity) this.waiting.wakeIn(Math.ceil(quietMs));
    if (blocks && (this.#clientEnded || waitedOut)) {
      this.finish();
      return;
    }
    const held = shown !== 'more' && !(blocks && this.feed.waitingBytes < this.context.limits.maxHeldBytes);
    const waits = raw ? this.passing.raw?.waits === true : held || this.outbox.clogged;
    this.ports.readClient(!waits && (!this.#draining || streaming || raw));
  }

  /** Decides on a whole request. */
  #frame(): boolean {
    const waits = this.gate.shut();
    if (waits !== undefined) return this.waiting.hold(waits);
    if (this.feed.inline && !this.#naming.takesWords()) return this.passing.join('splice');
    const command = this.known();
    if (command === undefined) return this.waiting.hold(Held.connect);
    this.command = command;
    const refusal = this.context.refusal(command, this.state, this.typed(command));
    if (refusal !== undefined) return this.refused(refusal);
    switch (command.route) {
      case 'local':
        return this.#local.step();
      case 'subscribe':
      case 'monitor':
      case 'splice':
        return this.passing.join(command.route);
      default:
        return this.placing.place(command);
    }
  }

  #streamEnded(): true {
    const error = this.outbox.streamEnded();
    if (error !== undefined) this.toClient(error);
    return true;
  }

  /** Answers are in: what waited for them may go, and what needed a connection of its own may not any more. */
  settled(): void {
    if (this.quiet && this.passing.raw === undefined) this.own.release();
    if (this.waiting.reason !== undefined || this.#clientEnded || this.#draining) this.advance();
  }

  /** What the client has left in its connection is lost with it: it has to begin anew, as with a lost server. */
  #ownLost(): void {
    if (this.passing.raw !== undefined || this.own.rooted) this.finish();
    else if (this.ledger.empty) this.own.lose();
  }
}
