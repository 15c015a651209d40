/**
 * One client connection: which server each of its requests goes to, and when.
 *
 * The difficulty of splitting one connection over two servers is order: answers must come back as asked, and a request
 * must not take effect before the one in front of it. Queues of out-of-order answers and per-key dependencies solve
 * that, with much to get wrong. Here it cannot go wrong: a session has unanswered requests at one server at a time, and
 * a request for another server is held until every answer is in. Its connections are its own, so an answer cannot reach
 * another client, and what a command leaves in its connection stays with its session.
 *
 * A command that is not on the list of commands.ts ends routing: once the answers still owed have been delivered, the
 * client's bytes and its primary connection's are joined untouched, for good. Redis itself then answers everything,
 * malformed bytes included.
 *
 * The session decides; `SessionPorts` does. Nothing here knows a socket.
 */

import type { CommandClass } from '../commands/commands.ts';
import { RequestFeed } from './feed.ts';
import { Links } from './links.ts';
import type { Link } from './links.ts';
import type { HoldReason } from '../observe/metrics.ts';
import { OwnAnswers } from './own-answers.ts';
import type { Role, SessionContext, SessionPorts } from './ports.ts';
import { Reads } from './reads.ts';
import type { Situation } from './reads.ts';
import type { ReplyStream } from './replies.ts';
import { Sent } from './sent.ts';
import type { Unanswered } from './sent.ts';
import type { Replica } from '../topology/topology.ts';

type Mode = 'routing' | 'splicing' | 'over';

export class Session {
  readonly #ports: SessionPorts;
  readonly #context: SessionContext;
  readonly #feed: RequestFeed;
  readonly #reads: Reads;
  readonly #sent = new Sent();
  readonly #own: OwnAnswers;
  readonly #links: Links;
  #mode: Mode = 'routing';
  /** Reads whose replica failed before it answered. */
  #repeat: Unanswered | undefined;
  /** A command has left something in the primary connection: without it the client has to start anew. */
  #rooted = false;
  #full = false;
  #clientEnded = false;
  #draining = false;
  #counted: HoldReason | undefined;

  constructor(ports: SessionPorts, context: SessionContext) {
    this.#ports = ports;
    this.#context = context;
    this.#feed = new RequestFeed(context.table, context.limits.maxHeldBytes);
    this.#own = new OwnAnswers(this.#feed, (bytes) => ports.toClient(bytes));
    this.#reads = new Reads(context, ports);
    this.#links = new Links(ports, context);
  }

  onClientData(chunk: Uint8Array): void {
    if (this.#mode === 'over') return;
    this.#feed.push(chunk);
    this.#advance();
  }

  /** The client sends no more; it may still read. */
  onClientEnd(): void {
    this.#clientEnded = true;
    this.#advance();
  }

  onServerOpen(role: Role, runId: string): void {
    this.#links.opened(role, runId);
    this.#advance();
  }

  onServerData(role: Role, chunk: Uint8Array): void {
    const link = this.#links.of(role);
    if (link.state !== 'open') return;
    const breach = link.replies.read(chunk, this.#sent.owes(role) ? this.#sent.count : 0);
    if (breach === undefined) this.#deliver(role, link.runId, link.replies);
    else this.#breached(role, breach);
    this.#advance();
  }

  /** A connection failed, while opening or later; it is gone already. */
  onServerLost(role: Role, why: string): void {
    this.#lost(role, this.#links.lost(role), why);
  }

  onServerDrained(): void {
    this.#full = false;
    this.#advance();
  }

  /** A read is held, and something is newly known of the replicas. */
  onTopology(): void {
    this.#advance();
  }

  /** A server has stopped answering the poller: reads it still owes are better asked elsewhere. */
  onServerSilent(): void {
    const { replica } = this.#reads;
    const { state } = this.#links.of('replica');
    const owing = this.#sent.owes('replica');
    if (replica?.reachable !== false || (state !== 'opening' && !owing)) return;
    this.#lost('replica', this.#links.drop('replica'), replica.why);
  }

  /** Servers have come or gone. A new primary is followed with the next command for it. */
  onServersChanged(): void {
    const { replica } = this.#reads;
    const owing = this.#sent.owes('replica');
    if (replica?.configured === false && !owing) this.#links.drop('replica');
  }

  onWake(): void {
    this.#reads.expire();
    this.#advance();
  }

  /** No further requests: what has been received whole is answered, then the client is closed. */
  drain(): void {
    this.#draining = true;
    this.#advance();
  }

  /** The client is gone. */
  end(): void {
    this.#mode = 'over';
    this.#reads.release();
    this.#links.drop('replica');
    this.#links.drop('primary');
  }

  // ---- requests

  #advance(): void {
    while (this.#step());
    if (this.#mode === 'routing') this.#rest();
  }

  #step(): boolean {
    if (this.#mode === 'over') return false;
    if (this.#repeat !== undefined) return this.#placeRepeat();
    return this.#mode === 'splicing' ? this.#trySplice() : this.#request();
  }

  /** Handles what the feed shows next. False: it has to wait, or there is nothing. */
  #request(): boolean {
    switch (this.#feed.next()) {
      case 'more':
        this.#flush();
        return this.#feed.turn();
      case 'frame':
        return this.#placeFrame(this.#feed.class);
      case 'large':
        return this.#placeAt('primary', this.#feed.class);
      case 'streamed':
        return this.#streamEnded();
      case 'foreign':
        return this.#leaveRouting();
    }
  }

  /** Nothing can be done at this moment: read on, wait, or end. */
  #rest(): void {
    const shown = this.#feed.next();
    const idle = this.#sent.count === 0 && this.#repeat === undefined && shown === 'more';
    // A write cut off in the middle is never answered: its connection is closed, and Redis forgets it.
    const cutOff = this.#clientEnded && this.#feed.streaming && shown === 'more';
    if (cutOff || (idle && (this.#clientEnded || (this.#draining && !this.#feed.streaming)))) {
      this.#finish();
      return;
    }
    const stop = this.#repeat !== undefined || shown !== 'more' || this.#full;
    this.#ports.readClient(!stop && (!this.#draining || this.#feed.streaming));
  }

  #placeFrame(kind: CommandClass): boolean {
    if (kind !== 'read') return this.#placeAt('primary', kind);
    const target = this.#reads.choose(this.#situation());
    if (target === 'refused') return this.#refuse(this.#reads.refusal());
    if (target === 'wait') return this.#hold('proof');
    if (target === 'primary') return this.#placeAt('primary', kind);
    return this.#reachFor(target) ? this.#placeAt('replica', kind) : this.#hold('order');
  }

  /** Accepts the request for `role` if everything is ready for it; otherwise brings that about. */
  #placeAt(role: Role, kind: CommandClass): boolean {
    const { maxPipelined, maxRepeatableBytes } = this.#context.limits;
    if (this.#sent.count > 0 && this.#sent.to !== role) return this.#hold('order');
    if (this.#full) return this.#hold('backpressure');
    if (this.#sent.count >= maxPipelined || this.#sent.keptBytes >= maxRepeatableBytes)
      return this.#hold('limit');
    if (role === 'primary' && !this.#links.followPrimary(this.#sent.count > 0)) return this.#hold('order');
    const down = role === 'primary' ? this.#links.whyDown() : undefined;
    if (down !== undefined) return this.#refuse(down);
    if (!this.#links.ready(role, this.#reads.replica)) return this.#hold('connect');
    this.#sent.to = role;
    this.#sent.add();
    this.#rooted ||= kind === 'naming';
    this.#feed.accept();
    this.#counted = undefined;
    this.#reads.release();
    this.#context.counters.command(kind, role);
    if (kind === 'write') this.#reads.wrote();
    return true;
  }

  /** Sends what was accepted. */
  #flush(): void {
    const run = this.#feed.takeRun();
    if (run === undefined || this.#own.pending !== undefined) return;
    this.#sent.flush(this.#ports.now(), this.#sent.to === 'replica' ? run : undefined);
    if (!this.#ports.toServer(this.#sent.to, run)) this.#full = true;
  }

  /** The request waits; counted once, however often it is looked at again. */
  #hold(reason: HoldReason): false {
    this.#flush();
    if (this.#counted !== reason) this.#context.counters.held(reason);
    this.#counted = reason;
    return false;
  }

  /** Answers the request shown ourselves. Only while no server owes an answer, or it would overtake. */
  #refuse(text: string): boolean {
    if (this.#sent.count > 0) return this.#hold('order');
    this.#flush();
    this.#counted = undefined;
    this.#reads.release();
    this.#context.counters.refused();
    this.#own.refuse(text);
    return true;
  }

  #streamEnded(): true {
    this.#flush();
    this.#feed.accept();
    if (this.#own.pending !== undefined) this.#feed.takeRun();
    this.#own.streamEnded();
    return true;
  }

  #situation(): Situation {
    return {
      primaryOwes: this.#sent.owes('primary'),
      reached: this.#links.reached,
    };
  }

  /** Makes `replica` the session's own; false while the one before still owes answers. */
  #reachFor(replica: Replica): boolean {
    if (this.#reads.replica === replica && this.#reads.matches(replica, this.#links.reached)) return true;
    if (this.#sent.owes('replica')) return false;
    this.#links.drop('replica');
    this.#reads.replica = replica;
    return true;
  }

  // ---- answers

  #deliver(role: Role, runId: string, replies: ReplyStream): void {
    const { counters } = this.#context;
    const { deliver, answers, rejection } = replies;
    if (deliver.length > 0) {
      this.#ports.toClient(deliver);
      this.#reads.answered(runId, role === 'primary');
    }
    this.#sent.answered(answers, this.#ports.now(), (seconds) => counters.answered(role, seconds));
    if (rejection !== undefined) this.#lost('replica', this.#links.drop('replica'), rejection);
  }

  /** A server that cannot be followed: whose answer is whose is no longer known, so nothing more may reach the client. */
  #breached(role: Role, why: string): void {
    if (!this.#sent.owes(role)) {
      this.#lost(role, this.#links.drop(role), why);
      return;
    }
    this.#context.counters.serverLost(role, 'breached');
    this.#abort(`${role}: ${why}`);
  }

  /** The connection in `was` is gone: decide what becomes of the requests it owed answers to. */
  #lost(role: Role, was: Link, why: string): void {
    if (this.#mode === 'over') return;
    if (role === this.#sent.to) this.#full = false;
    if (was.state !== 'closed') this.#context.counters.serverLost(role, was.state);
    if (was.state === 'opening') this.#openFailed(role, why);
    else if (this.#sent.owes(role)) this.#answersLost(role, was, why);
    if (role === 'primary' && this.#rooted) this.#finish();
    this.#advance();
  }

  #openFailed(role: Role, why: string): void {
    const { topology, needRound } = this.#context;
    if (role === 'replica') {
      if (this.#reads.replica !== undefined) topology.replicaFailed(this.#reads.replica, why);
      needRound();
      return;
    }
    this.#links.primaryFailed(why);
  }

  #answersLost(role: Role, was: Link, why: string): void {
    if (was.state === 'open' && was.replies.midReply) {
      this.#abort(`the ${role} was lost in the middle of an answer: ${why}`);
      return;
    }
    const owed = this.#sent.takeAll();
    if (role === 'replica' && this.#reads.replica !== undefined) {
      this.#context.topology.replicaFailed(this.#reads.replica, why);
      this.#context.needRound();
    }
    if (role === 'replica' && !owed.repeated) {
      this.#context.counters.repeated(owed.count);
      this.#repeat = owed;
      return;
    }
    const lost = `was lost before it answered this command (${why})`;
    const text =
      role === 'primary'
        ? `primary ${this.#context.topology.primary.name} ${lost}; it may or may not have been executed`
        : `replica ${this.#reads.replica?.name} ${lost}; it was tried twice`;
    this.#own.fail(owed.count, text);
  }

  /** Sends reads again whose replica failed: to the primary, or to another replica if only replicas may answer. */
  #placeRepeat(): boolean {
    const repeat = this.#repeat as Unanswered;
    let role: Role = 'primary';
    if (this.#context.policy().readPolicy === 'replica') {
      const target = this.#reads.choose(this.#situation());
      if (target === 'wait') return false;
      if (typeof target === 'string') return this.#failRepeat(repeat.count, this.#reads.refusal());
      if (!this.#reachFor(target)) return false;
      role = 'replica';
    }
    if (role === 'primary') this.#links.followPrimary(false);
    const down = role === 'primary' ? this.#links.whyDown() : undefined;
    if (down !== undefined) return this.#failRepeat(repeat.count, down);
    if (!this.#links.ready(role, this.#reads.replica)) return false;
    this.#repeat = undefined;
    this.#sent.to = role;
    this.#reads.release();
    this.#sent.addRepeated(repeat, this.#ports.now());
    if (!this.#ports.toServer(role, repeat.bytes)) this.#full = true;
    return true;
  }

  #failRepeat(count: number, text: string): boolean {
    this.#repeat = undefined;
    this.#own.fail(count, text);
    return true;
  }

  #finish(): void {
    this.#ports.finish();
    this.end();
  }

  #abort(why: string): void {
    this.#ports.abort(why);
    this.end();
  }

  // ---- leaving

  #leaveRouting(): true {
    this.#flush();
    this.#mode = 'splicing';
    this.#ports.readClient(false);
    return true;
  }

  #trySplice(): false {
    if (this.#sent.owes('replica')) return false;
    if (!this.#links.followPrimary(this.#sent.count > 0)) return false;
    const why = this.#own.pending ?? this.#links.whyDown();
    if (why !== undefined) {
      this.#own.error(why);
      this.#finish();
      return false;
    }
    if (!this.#links.ready('primary', undefined)) return false;
    this.#context.counters.command('splice', 'splice');
    this.#links.drop('replica');
    this.#mode = 'over';
    this.#ports.splice(this.#feed.takeAll());
    return false;
  }
}
