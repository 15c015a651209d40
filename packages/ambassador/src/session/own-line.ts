/**
 * A session's connection of its own, for as long as something needs one.
 *
 * What keeps it is what the session has *sent*, not what has been answered: a transaction that was opened, keys that are
 * watched, state that only RESET removes. A command that merely blocks leaves nothing behind. Once nothing keeps it and
 * nothing is owed, it is given back and may serve another session.
 */

import { decodeReply, encodeCommand } from '@outrigger/core/resp';
import type { Command } from '../commands/command.ts';
import { spoiler } from '../locals/client.ts';
import type { EngineCounters } from '../observe/counters.ts';
import type { Line, LineWaiter } from '../upstream/line.ts';
import { nobody, Run } from '../upstream/run.ts';
import type { Server } from '../upstream/server.ts';
import type { Servers } from '../upstream/servers.ts';
import { agreed, AskedMulti } from './asked-multi.ts';
import type { Sent } from './sent.ts';
import { noPins } from './state.ts';
import type { PinReason, SessionState } from './state.ts';

/** Of those watched, so many are told apart; more are counted as often as they are named. */
const maxKnownKeys = 1_000;
/** They end with their command. */
const passing: readonly PinReason[] = ['blocking', 'wait', 'large'];

/** Told apart by who they are. */
export interface Transaction {
  /** Its MULTI has been sent. */
  begun: boolean;
  /** Commands that are queued at most: once one was refused, a server answers QUEUED and queues no more. */
  most: number;
}

export class OwnLine {
  /** A transaction is open: what follows is queued, not executed. */
  inMulti = false;
  watching = false;
  /** A transaction was begun that has no key yet: which shard's it will be, its first command tells. */
  pendingMulti = false;
  /** RESET or the end of the session are the only way back. */
  stuck = false;
  tracking = false;
  line: Line | undefined;
  #waiter: LineWaiter | undefined;
  /** Before the transaction has a server, something of it was refused. */
  #spoilt = false;
  /** The server is asked for it. */
  #multi: AskedMulti | undefined;
  /** Commands of the open transaction so far. */
  #queued = 0;
  /** The open transaction, by name. */
  transaction: Transaction | undefined;
  /** What takes effect in the session once the open transaction has been executed, and that command of it not refused. */
  readonly #onExec: { readonly at: number; readonly agreed: () => void }[] = [];
  /** Keys that are watched, for their number. */
  #watched: Set<string> | undefined;
  readonly #servers: Servers;
  readonly #state: SessionState;
  readonly #counters: EngineCounters;
  readonly #onPush: (bytes: Uint8Array) => void;

  constructor(
    servers: Servers,
    state: SessionState,
    counters: EngineCounters,
    onPush: (bytes: Uint8Array) => void,
  ) {
    this.#servers = servers;
    this.#state = state;
    this.#counters = counters;
    this.#onPush = onPush;
  }

  /** Every command goes to it. */
  get kept(): boolean {
    return this.rooted || this.pendingMulti;
  }

  /** Something of the session is in the connection, and is lost with it. */
  get rooted(): boolean {
    return this.inMulti || this.watching || this.stuck || this.tracking;
  }

  /** What is sent is queued: nothing blocks. */
  get transacts(): boolean {
    return this.inMulti || this.pendingMulti;
  }

  /**
   * The line, at `server` unless there is one already; it may still be opening. Undefined: none may be lent now.
   * `evenBusy`: for a command that ends what keeps a server busy.
   */
  at(server: Server, evenBusy: boolean, waiter: LineWaiter): Line | undefined {
    if (this.line === undefined) {
      this.line = this.#servers.lend(server, this.#state.identity, false, evenBusy);
      if (this.line !== undefined) this.line.onPush = this.#onPush;
    }
    // Nothing may be owed when it is lost, and what it held is lost nevertheless.
    this.line?.wait(waiter);
    this.#waiter = waiter;
    return this.line;
  }

  /** What the command that is being sent leaves behind; and, where that depends on its answer, who has to see that. */
  note(
    { route }: Command,
    argc: number,
    args: () => readonly Buffer[],
  ): ((reply: Buffer) => Uint8Array) | undefined {
    const wasInMulti = this.inMulti;
    this.#count(wasInMulti ? this.#queued + 1 : 0);
    if (route === 'multi' && !wasInMulti && argc === 1) this.#open(false);
    else if (route === 'watch' && !wasInMulti && argc > 1) this.#watch(args().slice(1));
    else if (route === 'sticky') this.stuck = true;
    else if (route === 'unwatch' && !wasInMulti) this.#unwatch();
    else if ((route === 'exec' || route === 'discard') && wasInMulti && argc === 1) {
      this.#shut();
      this.#unwatch();
      // What was agreed to in it is known with its answer only: it may have been sent in one piece.
      if (this.line?.dirty === true) return (reply) => this.#closed(reply, route === 'exec');
    }
    return undefined;
  }

  /** The command that is being sent, and that nobody notes, is queued if a transaction is open. */
  queue(): undefined {
    if (this.inMulti) this.#count(this.#queued + 1);
  }

  /** Which of the transaction's commands the last one was. */
  get lastQueued(): number {
    return this.#queued - 1;
  }

  /** `agreed` is called once the open transaction has been executed, unless its command number `at` fails then. */
  afterExec(at: number, agreed: () => void): void {
    this.#onExec.push({ at, agreed });
  }

  pin(reason: PinReason): void {
    const { line } = this;
    if (line !== undefined) this.#state.serverId = line.welcome.clientId;
    if (this.#state.pins.has(reason)) return;
    this.#state.pins = new Set(this.#state.pins).add(reason);
    this.#counters.pin(reason);
  }

  unpin(reason: PinReason): void {
    if (!this.#state.pins.has(reason)) return;
    const left = new Set(this.#state.pins);
    left.delete(reason);
    this.#state.pins = left.size === 0 ? noPins : left;
    this.#counters.unpin(reason);
  }

  /** Answers are in: who needed the connection for one of them alone does no longer. */
  answered(runs: readonly Sent[]): void {
    for (const reason of passing) {
      if (!this.#state.pins.has(reason)) continue;
      if (runs.some((run) => (run.pins?.get(reason) ?? 0) > run.delivered)) continue;
      this.unpin(reason);
    }
  }

  /**
   * Makes the transaction that was begun this line's: nothing of it may be sent before the server has agreed. What the
   * server says; undefined: it has not yet, and `told` is called when it does.
   */
  begin(line: Line, told: () => void): string | undefined {
    this.#multi ??= new AskedMulti(line, told);
    const { reply } = this.#multi;
    if (reply !== agreed) return reply;
    this.#multi = undefined;
    this.pendingMulti = false;
    this.#open(true);
    this.#count(0);
    this.pin('multi');
    if (this.#spoilt) this.spoil();
    this.#spoilt = false;
    return reply;
  }

  /** The transaction that was begun must not be executed. */
  get spoilt(): boolean {
    return this.#spoilt;
  }

  /** The transaction that was begun ends without a server. */
  end(): void {
    this.pendingMulti = this.#spoilt = false;
    // A server that was asked for it has begun it.
    if (this.#multi !== undefined) this.drop();
    else this.release();
  }

  /** Something of the open transaction was refused: it must not be executed. */
  spoil(): void {
    this.#spoilt ||= this.pendingMulti;
    if (!this.inMulti) return;
    this.prelude(spoiler);
    this.#spoiled(this.#queued);
  }

  /** Sends what must be in the connection before the session's first command: its name. */
  prepare(): void {
    const { line } = this;
    if (line === undefined || line.name === this.#state.name) return;
    line.name = this.#state.name;
    this.prelude(encodeCommand(['CLIENT', 'SETNAME', line.name]));
  }

  /** The connection is not as a new one would be: nobody else may have it. */
  dirty(): void {
    if (this.line !== undefined) this.line.dirty = true;
  }

  /** A request of ours whose answer the client does not see. */
  prelude(request: Uint8Array): void {
    const { line } = this;
    if (line !== undefined) line.send(new Run(nobody, line), request, 1);
  }

  /** Nothing is owed: gives it back unless something keeps it. */
  release(): void {
    if (this.kept || this.line === undefined) return;
    const { line } = this;
    this.#forget();
    this.#servers.giveBack(line);
  }

  /** It is gone, or goes. */
  drop(): void {
    const { line } = this;
    this.#forget();
    if (line === undefined) return;
    line.dirty = true;
    this.#servers.giveBack(line);
  }

  /** It is gone before anything of the session was in it: a transaction that was begun goes on in another. */
  lose(): void {
    const { pendingMulti } = this;
    const spoilt = this.#spoilt;
    this.drop();
    this.pendingMulti = pendingMulti;
    this.#spoilt = spoilt;
  }

  /** EXEC may be refused with an error, or answer null because a watched key had changed. */
  #closed(reply: Buffer, exec: boolean): Buffer {
    const agreements = this.#onExec.splice(0);
    const answer = exec ? decodeReply(reply) : undefined;
    if (answer?.type === 'list') {
      for (const { at, agreed } of agreements) if (answer.items[at]?.type !== 'error') agreed();
    }
    return reply;
  }

  /** A command of the transaction was refused, behind so many; or MULTI was: there is none. */
  failed(transaction: Transaction, behind: number): void {
    if (transaction !== this.transaction) return;
    if (behind < 0) this.#shut();
    else this.#spoiled(behind);
  }

  #spoiled(queued: number): void {
    if (this.transaction !== undefined) this.transaction.most = Math.min(this.transaction.most, queued);
    this.#count(this.#queued);
  }

  /** MULTI, and what is behind it, is on its way. */
  #open(begun: boolean): void {
    this.inMulti = true;
    this.transaction = { begun, most: Number.POSITIVE_INFINITY };
  }

  #shut(): void {
    this.inMulti = false;
    this.transaction = undefined;
    this.unpin('multi');
  }

  #count(queued: number): void {
    this.#queued = queued;
    this.#state.counts.multi = Math.min(queued, this.transaction?.most ?? queued);
  }

  #watch(keys: readonly Buffer[]): void {
    this.watching = true;
    const watched = (this.#watched ??= new Set());
    for (const key of keys) {
      const name = key.toString('latin1');
      if (watched.has(name)) continue;
      if (watched.size < maxKnownKeys) watched.add(name);
      this.#state.counts.watch++;
    }
  }

  #unwatch(): void {
    this.watching = false;
    this.#watched = undefined;
    this.#state.counts.watch = 0;
    this.unpin('watch');
  }

  #forget(): void {
    if (this.#waiter !== undefined) this.line?.leave(this.#waiter);
    this.line = undefined;
    this.#onExec.length = 0;
    this.#multi = undefined;
    this.#spoilt = false;
    this.transaction = undefined;
    this.inMulti = this.watching = this.stuck = this.tracking = this.pendingMulti = false;
    this.#count(0);
    this.#unwatch();
    this.#state.serverId = 0;
    for (const reason of this.#state.pins) this.unpin(reason);
  }
}
