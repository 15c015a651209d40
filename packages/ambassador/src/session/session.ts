/**
 * One client connection: which server each of its requests goes to, and when.
 *
 * Three rules keep the client from noticing that there are several servers:
 * - Answers leave in the order of the requests (ledger.ts), whoever gives them.
 * - Effects keep that order too. What may change something waits until nothing is owed elsewhere; behind it, nothing is
 *   sent elsewhere until it is answered. Only reads may be under way at several servers at once.
 * - What leaves something in its connection gets a connection of its own (own-line.ts) for as long as that lasts; what
 *   nobody can follow is passed through untouched (raw.ts).
 *
 * What has to be asked again (repeats.ts) is put back in front of what the client sends next, and decided anew.
 *
 * The session decides; `SessionPorts` does. Nothing here knows a socket.
 */

import { decodeRequest, encodeCommand, encodeError } from '@outrigger/core/resp';
import type { Timer } from '@outrigger/core/clock';
import type { Command } from '../commands/command.ts';
import { keysOf } from '../commands/keys.ts';
import { slotOf } from '../commands/slot.ts';
import { Bytes, classOf, Fallback, Held, Place as Counted } from '../observe/names.ts';
import type { SessionFacts } from '../observe/facts.ts';
import type { Realm, Shard } from '../topology/realm.ts';
import type { Line, LineWaiter } from '../upstream/line.ts';
import type { Rejection, Run, RunOwner } from '../upstream/run.ts';
import type { Lane } from '../upstream/servers.ts';
import type { Server } from '../upstream/server.ts';
import type { Refusal } from '../upstream/welcome.ts';
import { RequestFeed } from './feed.ts';
import { answerLocally } from '../locals/answer.ts';
import { takeMuted } from '../locals/mute.ts';
import { Ledger } from './ledger.ts';
import { LocalStep } from './local-step.ts';
import { OwnLine } from './own-line.ts';
import type { Policy, SessionContext, SessionPorts } from './ports.ts';
import { RawMode } from './raw.ts';
import { Reads } from './reads.ts';
import { Repeats } from './repeats.ts';
import { Sent } from './sent.ts';
import type { Place } from './sent.ts';
import type { Identity, PinReason, SessionState } from './state.ts';

/** Where a request may go. */
export interface Target {
  readonly realm: Realm;
  readonly shard: Shard;
}

export interface Sending {
  /** Sent instead of the request shown. */
  readonly replaced?: Uint8Array | undefined;
  /** Known already: the client does not want the answer. */
  readonly muted?: boolean;
}

export class Session implements RunOwner, LineWaiter {
  readonly state: SessionState;
  readonly ledger: Ledger;
  readonly feed: RequestFeed;
  readonly own: OwnLine;
  readonly ports: SessionPorts;
  readonly context: SessionContext;
  /** The request that is being decided on. */
  command!: Command;
  readonly #repeats: Repeats;
  readonly #local: LocalStep;
  readonly #reads = new Map<Shard, Reads>();
  #raw: RawMode | undefined;
  #over = false;
  #args: Buffer[] | undefined;
  #learning = false;
  /** What a server said of a name: kept for the request that waits for it, should nothing else keep it. */
  #learned: { readonly name: string; readonly command: Command } | undefined;
  /** What is sent instead of the request shown. */
  #replaced: Uint8Array | undefined;
  /** The run that accepted requests go into, and how many of them have not been sent. */
  #run: Sent | undefined;
  #accepted = 0;
  #advancing = false;
  #again = false;
  #held: Held | undefined;
  #heldSinceMs = 0;
  #waitsFor: Line | undefined;
  #wake: Timer | undefined;
  #wakeAtMs = 0;
  #pausedUntilMs = 0;
  /** The error of a request whose rest is being swallowed. */
  #swallowing: string | undefined;
  #clientEnded = false;
  #draining = false;

  constructor(ports: SessionPorts, context: SessionContext, state: SessionState) {
    const { limits, table, servers, counters } = context;
    this.ports = ports;
    this.context = context;
    this.state = state;
    this.ledger = new Ledger((bytes) => this.toClient(bytes));
    this.feed = new RequestFeed(table, limits.maxHeldBytes, limits);
    this.own = new OwnLine(servers, state, counters, (bytes) => this.toClient(bytes));
    this.#repeats = new Repeats(this);
    this.#local = new LocalStep(this);
  }

  // ---- what happens

  onClientData(chunk: Uint8Array): void {
    if (this.#over) return;
    this.context.counters.bytes(Bytes.fromClient, chunk.length);
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
    this.advance();
  }

  /** Primaries, replicas or what they have proven: something changed. */
  onRealmChanged(): void {
    this.advance();
  }

  lineChanged(line: Line): void {
    if (this.#waitsFor === line) this.#waitsFor = undefined;
    if (this.own.line === line && line.state === 'closed') this.#ownLost(line);
    this.advance();
  }

  onWake(): void {
    this.#wake = undefined;
    this.advance();
  }

  /** No further requests: what has been received whole is answered, then the client is closed. */
  drain(): void {
    this.#draining = true;
    this.advance();
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Nothing of a request is held and nothing is owed. */
  get idle(): boolean {
    return this.ledger.empty && this.feed.idle;
  }

  /** The client is gone. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#raw?.end();
    this.#wake?.cancel();
    this.#waitsFor?.leave(this);
    for (const reads of this.#reads.values()) reads.end();
    this.ports.watchRealm(false);
    const owed = !this.ledger.empty || this.#raw !== undefined;
    this.ledger.forget();
    if (owed) this.own.drop();
    else {
      this.own.inMulti = this.own.watching = false;
      if (this.own.kept) this.own.drop();
      else this.own.release();
    }
  }

  // ---- RunOwner

  answered(run: Run, bytes: Uint8Array, answers: number): void {
    const sent = run as Sent;
    const { counters } = this.context;
    const seconds = (this.ports.now() - run.sentAtMs) / 1000;
    if (answers > 0) counters.answered(sent.commandClass, sent.serverIndex, seconds, answers);
    if (sent.capture !== undefined) this.#captured(sent, bytes);
    else if (sent.rejectedAt >= 0) this.#repeats.keep(sent, bytes);
    else {
      this.readsOf(sent.shard).answered(run.line.welcome.runId, sent.place !== 'replica');
      this.ledger.deliver(sent, bytes, answers);
      this.#repeats.progressed();
    }
    this.#settled();
  }

  rejected(run: Run, rejection: Rejection, bytes: Uint8Array): void {
    if (this.#repeats.rejected(run as Sent, rejection, bytes)) this.#settled();
    else this.answered(run, bytes, 1);
  }

  lost(run: Run, refusal: Refusal): void {
    if (this.#over) return;
    this.#repeats.lost(run as Sent, refusal);
    this.advance();
  }

  // ---- for the parts of a session

  toClient(bytes: Uint8Array): void {
    this.context.counters.bytes(Bytes.toClient, bytes.length);
    this.ports.toClient(bytes);
    if (this.ports.backlog > this.context.limits.maxReplyBacklogBytes) this.own.line?.pause();
  }

  /** Answers the request shown ourselves, in its place among the others. */
  answerOwn(bytes: Uint8Array): boolean {
    if (!this.quiet) return this.hold(Held.order);
    this.#flush();
    this.feed.drop();
    this.#unhold();
    if (this.feed.streaming) this.#swallowing = Buffer.from(bytes).toString('latin1');
    else if (bytes.length > 0) this.toClient(bytes);
    this.state.commands++;
    return true;
  }

  refuse(text: string, reason: string): boolean {
    const answered = this.answerOwn(encodeError(`OUTRIGGER ${text}`));
    if (answered) this.context.counters.refused(reason);
    return answered;
  }

  /** The request waits; counted once, however often it is looked at again. */
  hold(reason: Held): false {
    this.#flush();
    if (this.#held === undefined) this.#heldSinceMs = this.ports.now();
    if (this.#held !== reason) this.context.counters.held(reason);
    this.#held = reason;
    return false;
  }

  holdFor(delayMs: number, reason: Held): false {
    this.wakeIn(delayMs);
    return this.hold(reason);
  }

  /** The next request is not looked at before. */
  pauseFor(delayMs: number): void {
    this.#pausedUntilMs = this.ports.now() + delayMs;
  }

  wakeIn(delayMs: number): void {
    const at = this.ports.now() + delayMs;
    if (this.#wake !== undefined && this.#wakeAtMs <= at) return;
    this.#wake?.cancel();
    this.#wakeAtMs = at;
    this.#wake = this.ports.wakeAfter(delayMs);
  }

  /** Waits for a line to open or to have room. */
  waitFor(line: Line, reason: Held): false {
    this.#waitsFor = line;
    line.wait(this);
    return this.hold(reason);
  }

  /** The line it waits for. */
  get waitedFor(): Line | undefined {
    return this.#waitsFor;
  }

  /** Nothing is owed, and nothing accepted that has not been sent. */
  get quiet(): boolean {
    return this.ledger.empty && this.#accepted === 0;
  }

  policyFor(shard: Shard): Policy {
    const { readPolicy, consistency } = this.context.routes().policyOf(shard);
    return {
      readPolicy: this.state.readPolicy ?? readPolicy,
      consistency: this.state.consistency ?? consistency,
    };
  }

  /** The arguments of the request shown, which nothing has asked for yet. */
  freshArgs(): readonly Buffer[] {
    this.#args = undefined;
    return this.args;
  }

  /** The server has confirmed RESET: the connection of its own goes, and routing begins anew. */
  wasReset(): void {
    if (this.#over) return;
    this.#raw?.end();
    this.#raw = undefined;
    this.own.drop();
    answerLocally([Buffer.from('RESET')], this.state, this.context.registry, this.ports.now(), this.context.auth());
    this.advance();
  }

  /** The arguments of the request shown. */
  get args(): readonly Buffer[] {
    this.#args ??= decodeRequest(this.feed.frame());
    return this.#args;
  }

  readsOf(shard: Shard): Reads {
    let reads = this.#reads.get(shard);
    if (reads === undefined) {
      const { limits } = this.context;
      reads = new Reads(shard, limits, this);
      this.#reads.set(shard, reads);
    }
    return reads;
  }

  get bufferedBytes(): number {
    return this.ledger.keptBytes + this.ledger.waitingBytes + this.ports.backlog;
  }

  facts(): SessionFacts {
    return {
      state: this.state,
      held: this.#held,
      outstanding: this.ledger.unanswered,
      bufferedBytes: this.bufferedBytes,
      ownServer: this.own.line?.server.name,
      reads: Array.from(this.#reads, ([shard, reads]) => ({
        shard: shard.name,
        replica: reads.replica?.name,
        fence: reads.fence,
      })),
    };
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

  // ---- requests

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
    if (this.#raw !== undefined) return this.#raw.step();
    switch (this.feed.next()) {
      case 'more':
        this.#flush();
        return this.feed.turn();
      case 'frame':
        return this.#frame();
      case 'large':
        return this.#large();
      case 'streamed':
        return this.#streamEnded();
      case 'empty':
        this.#flush();
        this.feed.drop();
        return true;
      case 'foreign':
        return this.#goRaw('splice');
    }
  }

  /** Nothing can be done at this moment: read on, wait, or end. */
  #rest(): void {
    const shown = this.feed.next();
    if (this.#raw === undefined && shown === 'more') {
      const { streaming } = this.feed;
      // A write cut off in the middle is never answered: its connection is closed, and Redis forgets it.
      const cutOff = this.#clientEnded && streaming;
      const done = this.ledger.empty && (this.#clientEnded || (this.#draining && !streaming));
      if (cutOff || done) {
        this.finish();
        return;
      }
    }
    const waits = shown !== 'more' || (this.#raw?.waits ?? false);
    this.ports.readClient(!waits && (!this.#draining || this.feed.streaming || this.#raw !== undefined));
  }

  /** Decides on a whole request. */
  #frame(): boolean {
    const { limits } = this.context;
    const pauseMs = this.#pausedUntilMs - this.ports.now();
    if (this.#repeats.pending) return this.hold(Held.repeat);
    if (pauseMs > 0) return this.holdFor(pauseMs, Held.repeat);
    if (this.ports.backlog > limits.maxReplyBacklogBytes) return this.hold(Held.backpressure);
    const owed = this.ledger.unanswered + this.#accepted;
    if (owed >= limits.maxPipelined || this.ledger.keptBytes >= limits.maxRepeatableBytes) {
      return this.hold(Held.limit);
    }
    this.#args = undefined;
    this.#replaced = undefined;
    if (this.feed.inline && !this.#takeWords()) return this.#goRaw('splice');
    const command = this.#named();
    if (command === undefined) return this.hold(Held.connect);
    this.command = command.examine?.(this.args) ?? command;
    const refusal = this.context.refusal(this.command, this.state);
    if (refusal !== undefined) return this.answerOwn(encodeError(refusal));
    return this.#route();
  }

  /** A line of words becomes the array that means the same. False: only Redis can say what is wrong with it. */
  #takeWords(): boolean {
    try {
      this.#replaced = encodeCommand(this.args);
      return true;
    } catch {
      return false;
    }
  }

  /** The command shown; undefined while a server is being asked about it. */
  #named(): Command | undefined {
    if (this.feed.command !== undefined) return this.feed.command;
    const { live } = this.context;
    const { name } = this.feed;
    const known = live.known(name) ?? (this.#learned?.name === name ? this.#learned.command : undefined);
    if (known !== undefined || this.#learning) return known;
    this.#learning = true;
    void live.learn(name).then((command) => {
      this.#learning = false;
      this.#learned = { name, command };
      this.advance();
    });
    return undefined;
  }

  #route(): boolean {
    const { own, command } = this;
    if (command.route === 'local') return this.#localOrOwn();
    if (command.route === 'subscribe' || command.route === 'monitor' || command.route === 'splice') {
      return this.#goRaw(command.route);
    }
    if (own.kept) return this.placeOwn(undefined);
    switch (command.route) {
      case 'read':
        return this.#placeRead('main');
      case 'scriptRead':
        return this.#placeRead('script');
      case 'script':
        return this.placePrimary('script');
      case 'multi':
      case 'watch':
      case 'wait':
      case 'sticky':
        return this.placeOwn(command.route);
      case 'blocking':
      case 'aside':
        return this.placeOwn('blocking');
      // Without a transaction of its own these say so, and change nothing: write, primary, cursor, exec, discard, unwatch.
      default:
        return this.placePrimary('main');
    }
  }

  /** Within a transaction Redis queues everything, except what ends the connection. */
  #localOrOwn(): boolean {
    const { name } = this.command;
    return this.own.inMulti && name !== 'QUIT' && name !== 'RESET' ? this.placeOwn(undefined) : this.#local.step();
  }

  /** Whose data the request is about; a text: why it cannot be told. */
  target(): Target | string {
    const routes = this.context.routes();
    const needsKey = routes.several || routes.realmOf(undefined).clustered;
    const at = needsKey ? keysOf(this.command, this.args)?.[0] : undefined;
    const key = at === undefined ? undefined : this.args[at];
    const realm = routes.realmOf(key);
    const slot = key === undefined || !realm.clustered ? -1 : slotOf(key);
    const shard = realm.shardOf(slot);
    if (shard === undefined) return `no server has slot ${slot}`;
    return { realm, shard };
  }

  #placeRead(lane: Lane): boolean {
    const target = this.target();
    if (typeof target === 'string') return this.refuse(target, 'noSlot');
    const { shard, realm } = target;
    const reads = this.readsOf(shard);
    const { identity } = this.state;
    const { servers, counters } = this.context;
    for (;;) {
      if (this.#repeats.atPrimary) return this.placePrimary(lane, Fallback.failed);
      const choice = reads.choose(this.#situation(shard, lane));
      if (choice === 'refused') return this.refuse(reads.refusal(), 'noReplica');
      if (choice === 'wait') return this.hold(Held.proof);
      if (choice === 'primary') return this.placePrimary(lane, reads.fallback);
      const server = shard.server(choice.name);
      const down = server === undefined ? 'it is gone' : servers.whyDown(server);
      if (server === undefined || down !== undefined) {
        shard.topology.replicaFailed(choice, down ?? '');
        shard.needRound();
        continue;
      }
      const line = servers.line(server, identity, lane, realm.clustered);
      if (line === undefined) return this.holdFor(10, Held.limit);
      const why = this.#unready(line);
      if (why !== undefined) return this.waitFor(line, why);
      // Another process than the one that has proven itself: a restart nobody has noticed yet.
      if (!reads.matches(choice, line.welcome.runId)) {
        shard.needRound();
        return this.placePrimary(lane, Fallback.fence);
      }
      if (!this.mayFollow(line)) return this.hold(Held.order);
      reads.placed(choice);
      counters.replicaRead(reads.path);
      return this.accept(line, 'replica', target);
    }
  }

  placePrimary(lane: Lane, fallback?: Fallback, options: Sending = {}): boolean {
    const target = this.target();
    if (typeof target === 'string') return this.#awaitPrimary(target);
    const { shard } = target;
    const line = this.primaryLine(target, lane, this.state.identity);
    if (typeof line !== 'object') return line;
    if (!this.mayFollow(line)) return this.hold(Held.order);
    const reads = this.readsOf(shard);
    reads.release();
    if (this.command.mutates) reads.wrote();
    if (fallback !== undefined) this.context.counters.fallback(fallback);
    return this.accept(line, 'primary', target, options);
  }

  /** The shared line to a shard's primary, ready to send; otherwise what `#step` is to do: wait, or go on. */
  primaryLine({ realm, shard }: Target, lane: Lane, identity: Identity): Line | boolean {
    const server = this.primaryOf(shard);
    if (typeof server === 'boolean') return server;
    const line = this.context.servers.line(server, identity, lane, false);
    if (line === undefined) return this.holdFor(10, Held.limit);
    const why = this.#unready(line);
    if (why !== undefined) return this.waitFor(line, why);
    return this.#trusted(line, realm) ? line : this.#awaitPrimary(`${server.name} says it is a replica`);
  }

  /** A shard's primary, if it is known and reachable. */
  primaryOf(shard: Shard): Server | boolean {
    const server = this.#repeats.asked ?? shard.primary;
    if (server === undefined) return this.#awaitPrimary(shard.why);
    const down = this.context.servers.whyDown(server);
    return down === undefined ? server : this.#awaitPrimary(`${server.name} is unreachable: ${down}`);
  }

  /** A server that came back as a replica must not be written to, however it is called. */
  #trusted(line: Line, realm: Realm): boolean {
    if (line.welcome.role !== 'slave' || this.#repeats.asked !== undefined) return true;
    realm.doubt({ kind: 'readonly', server: line.server.name });
    line.close('it says it is a replica');
    return false;
  }

  #awaitPrimary(why: string): boolean {
    const limitMs = this.context.failoverWaitMs();
    const waited = this.#held === undefined ? 0 : this.ports.now() - this.#heldSinceMs;
    if (waited >= limitMs) {
      if (waited > 0) this.context.counters.failoverWaited(waited / 1000, 1);
      return this.refuse(`no primary: ${why}; the command was not sent`, 'noPrimary');
    }
    this.ports.watchRealm(true);
    return this.holdFor(limitMs - waited, Held.election);
  }

  /** Sends the request on the session's own connection; `pin` is why it needs one, undefined when it has one already. */
  placeOwn(pin: PinReason | undefined, options: Sending = {}): boolean {
    const line = this.ownLine();
    if (typeof line !== 'object') return line;
    const target = this.target();
    if (typeof target === 'string') return this.refuse(target, 'noSlot');
    if (options.replaced !== undefined) this.#replaced = options.replaced;
    this.own.prepare();
    if (pin !== undefined) this.own.pin(pin);
    this.#noteState();
    // WAIT counts the writes of its connection: any command makes them all of this moment, those sent elsewhere too.
    if (this.command.route === 'wait') this.own.prelude(encodeCommand(['PING']));
    return this.accept(line, 'own', target, options);
  }

  /** The session's own line, ready to send and nothing owed elsewhere; otherwise what `#step` is to do. */
  ownLine(): Line | boolean {
    if (this.own.line === undefined) {
      if (!this.ledger.empty || this.#accepted > 0) return this.hold(Held.order);
      const target = this.target();
      if (typeof target === 'string') return this.#awaitPrimary(target);
      const server = this.primaryOf(target.shard);
      if (typeof server === 'boolean') return server;
      this.own.at(server, false);
    }
    const line = this.own.line as Line;
    if (line.state === 'closed') {
      this.own.drop();
      return true;
    }
    const why = this.#unready(line);
    if (why !== undefined) return this.waitFor(line, why);
    return this.mayFollow(line) ? line : this.hold(Held.order);
  }

  /** What the command just sent leaves behind. */
  #noteState(): void {
    const { own, feed } = this;
    switch (this.command.route) {
      case 'multi':
        own.inMulti ||= feed.argc === 1;
        break;
      case 'exec':
      case 'discard':
        if (own.inMulti) own.inMulti = own.watching = false;
        break;
      case 'watch':
        own.watching ||= !own.inMulti && feed.argc > 1;
        break;
      case 'unwatch':
        if (!own.inMulti) own.watching = false;
        break;
      case 'sticky':
        own.stuck = true;
        break;
      case 'local':
        // Queued in a transaction, it changes the connection later, unseen.
        if (own.inMulti) own.stuck = true;
        break;
      default:
    }
  }

  #unready(line: Line): Held | undefined {
    if (line.state === 'opening') return Held.connect;
    return line.full ? Held.backpressure : undefined;
  }

  /** Whether the request may be under way at `line` together with what is owed already. */
  mayFollow(line: Line): boolean {
    if (this.#run !== undefined && this.#run.line !== line) this.#flush();
    if (this.ledger.onlyAt(line)) return true;
    return !this.command.mutates && this.command.route === 'read' && this.ledger.onlyReads;
  }

  accept(line: Line, place: Place, { realm, shard }: Target, options: Sending = {}): true {
    const { state, context, command } = this;
    const mute = options.muted ?? takeMuted(state);
    if (this.#run !== undefined && (this.#run.line !== line || this.#run.mute !== mute)) this.#flush();
    const fresh = this.#replaced !== undefined || this.#repeats.hasPrelude;
    if (fresh) this.#flush();
    this.#run ??= this.#newRun(line, place, realm, shard, mute);
    const run = this.#run;
    this.#accepted++;
    if (command.mutates) run.lastMutating = run.expected + this.#accepted;
    if (this.#repeats.hasPrelude) this.#repeats.sendPrelude(line);
    if (this.#replaced === undefined) this.feed.accept();
    else {
      this.feed.drop();
      this.#send(run, this.#replaced);
    }
    this.#repeats.placed();
    this.#unhold();
    state.commands++;
    state.lastCommand = command.name;
    context.counters.sent(command.index, counted[place]);
    return true;
  }

  #newRun(line: Line, place: Place, realm: Realm, shard: Shard, mute: boolean): Sent {
    const run = new Sent(this, line, place, realm, shard);
    run.mute = mute;
    run.commandClass = classOf(this.command.route);
    run.serverIndex = this.context.counters.servers.index(line.server.name);
    return run;
  }

  /** Sends what was accepted. */
  #flush(): void {
    const bytes = this.feed.takeRun();
    const run = this.#run;
    if (run === undefined || bytes === undefined || this.#swallowing !== undefined) return;
    this.#send(run, bytes);
  }

  #send(run: Sent, bytes: Uint8Array): void {
    const count = this.#accepted;
    const keeps = !this.feed.streaming && !run.streamed;
    if (run.expected === 0) this.ledger.add(run);
    this.ledger.sent(run, count, keeps ? bytes : undefined);
    this.#accepted = 0;
    if (!run.streamed) this.#run = undefined;
    this.context.counters.bytes(Bytes.toServer, bytes.length);
    run.line.send(run, bytes, count);
  }

  #unhold(): void {
    if (this.#held === Held.election) {
      this.context.counters.failoverWaited((this.ports.now() - this.#heldSinceMs) / 1000, 1);
    }
    if (this.#held === undefined) return;
    this.#held = undefined;
    this.ports.watchRealm(false);
  }

  // ---- large requests

  /** A request too large to hold: passed on as it arrives, on a connection that nobody else waits for. */
  #large(): boolean {
    const { command } = this.feed;
    const routes = this.context.routes();
    const plain = command?.route === 'read' || command?.route === 'write' || command?.route === 'primary';
    const simple = !routes.several && !routes.realmOf(undefined).clustered && command?.examine === undefined;
    if (command === undefined || !plain || !simple || this.feed.inline) {
      this.#flush();
      this.feed.wantWhole();
      return true;
    }
    if (this.#repeats.pending) return this.hold(Held.repeat);
    this.command = command;
    this.#args = undefined;
    this.#replaced = undefined;
    const refusal = this.context.refusal(command, this.state);
    if (refusal !== undefined) return this.answerOwn(encodeError(refusal));
    if (!this.ledger.empty || this.#accepted > 0) return this.hold(Held.order);
    const realm = routes.realmOf(undefined);
    const shard = realm.shardOf(-1);
    const line = this.ownLine();
    if (typeof line !== 'object') return line;
    if (shard === undefined) return this.#awaitPrimary('no server is known');
    this.own.prepare();
    this.own.pin('large');
    return this.accept(line, 'own', { realm, shard });
  }

  #streamEnded(): true {
    this.#flush();
    this.feed.accept();
    this.#run = undefined;
    if (this.#swallowing === undefined) return true;
    this.feed.takeRun();
    this.toClient(Buffer.from(this.#swallowing, 'latin1'));
    this.#swallowing = undefined;
    return true;
  }

  /** The request that is still arriving has lost its server: its error has to wait for its end. */
  swallow(error: string): void {
    this.#swallowing = error;
    this.#run = undefined;
  }

  // ---- answers

  /** A reply that is looked at whole before the client gets it, or something else instead. */
  #captured(sent: Sent, bytes: Uint8Array): void {
    sent.kept.push(bytes);
    if (!sent.done) return;
    const reply = Buffer.concat(sent.kept);
    sent.kept = [];
    this.ledger.deliver(sent, sent.capture?.(reply) ?? reply, 1);
  }

  /** Sends the request shown alone, and looks at its answer. */
  capture(then: (reply: Buffer) => Uint8Array): void {
    this.#flush();
    const run = this.ledger.last;
    if (run !== undefined) run.capture = then;
  }

  #settled(): void {
    if (this.ledger.empty && this.#run === undefined && this.#raw === undefined) {
      this.own.release();
    }
    if (this.#held !== undefined || this.#clientEnded || this.#draining) this.advance();
  }

  // ---- leaving

  /** From here on the client and a connection of its own are joined, until what began it has ended. */
  #goRaw(reason: 'subscribe' | 'monitor' | 'splice'): boolean {
    if (this.feed.next() === 'foreign') this.command = this.context.table.unknown;
    const line = this.ownLine();
    if (typeof line !== 'object') return line;
    if (!this.ledger.empty || this.#accepted > 0) return this.hold(Held.order);
    this.#flush();
    this.own.prepare();
    this.own.pin(reason);
    this.#unhold();
    this.context.counters.sent(this.command.index, Counted.own);
    this.#raw = new RawMode(this, line, reason === 'splice', () => this.#leaveRaw());
    return true;
  }

  #leaveRaw(): void {
    this.#raw = undefined;
    this.own.release();
  }

  #ownLost(line: Line): void {
    if (this.#raw !== undefined || this.own.rooted) this.finish();
    if (!this.#over && this.ledger.empty) this.own.drop();
  }

  #situation(shard: Shard, lane: Lane): { primaryOwes: boolean; reached: string | undefined } {
    const last = this.#run ?? this.ledger.last;
    const { replica } = this.readsOf(shard);
    const line =
      replica === undefined ? undefined : this.context.servers.openLine(replica.name, this.state.identity, lane);
    return {
      primaryOwes: last !== undefined && last.shard === shard && last.place !== 'replica',
      reached: line?.welcome.runId,
    };
  }
}

const counted = { primary: Counted.primary, replica: Counted.replica, own: Counted.own } as const;
