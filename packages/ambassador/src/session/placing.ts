/**
 * Where the request shown goes. Every method answers what the session's loop asks: true, it went or was answered, on to
 * the next; false, it has to wait, and something will wake the session.
 */

import { encodeCommand } from '@outrigger/core/resp';
import type { Command } from '../commands/command.ts';
import { keysOf } from '../commands/keys.ts';
import { Fallback, Held } from '../observe/names.ts';
import type { Realm, Shard } from '../topology/realm.ts';
import type { Replica } from '../topology/topology.ts';
import type { Line } from '../upstream/line.ts';
import type { Lane } from '../upstream/servers.ts';
import type { Server } from '../upstream/server.ts';
import { isBusy } from '../upstream/welcome.ts';
import { wantsAcks } from './acks.ts';
import { shareScript } from './script-sharing.ts';
import { overShards } from './shards.ts';
import type { Sending } from './outbox.ts';
import type { Session } from './session.ts';
import type { Identity, PinReason } from './state.ts';
import { targetOf } from './target.ts';
import type { Nowhere, Target } from './target.ts';

/** What a server has said of its role when a line was opened may be out of date after this. */
const roleKnownMs = 100;
/** Until a shared line may be free to open: there is nothing to be told of it. */
const lineRetryMs = 10;

const ok = Buffer.from('+OK\r\n');
const elsewhere: Nowhere = {
  why: 'its keys are on another route than what this connection has begun',
  final: true,
};
/** What a busy server takes, to be busy no longer. */
const endsBusy: ReadonlySet<string> = new Set(['SCRIPT|KILL', 'FUNCTION|KILL', 'SHUTDOWN']);
const emptyList = Buffer.from('*0\r\n');
const aborted = Buffer.from('-EXECABORT Transaction discarded because of previous errors.\r\n');

export class Placing {
  readonly #session: Session;
  /** Where the session's own connection leads. */
  #ownRealm: Realm | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** By the command's route; local commands and those that end routing are not for here. */
  place(command: Command): boolean {
    const { own, gathering } = this.#session;
    if (command.route === 'script' || command.route === 'scriptRead') shareScript(this.#session, command);
    if (own.pendingMulti && (command.route === 'exec' || command.route === 'discard')) {
      return this.#endEmpty(command.route);
    }
    if (own.kept) return this.own(own.transacts ? undefined : pinOf(command, this.#session.feed.argc));
    if (gathering === undefined && this.keysDecide) {
      const handled = overShards(this.#session);
      if (handled !== undefined) return handled;
    }
    switch (command.route) {
      case 'read':
        return this.#read('main');
      case 'scriptRead':
        return this.#read('script');
      case 'script':
        return this.primary('script');
      case 'multi':
        return this.#multi();
      case 'watch':
      case 'wait':
      case 'sticky':
        return this.own(command.route);
      case 'blocking':
      case 'aside':
        return this.own('blocking');
      // Without a transaction of its own these say so, and change nothing: write, primary, cursor, exec, discard, unwatch.
      default:
        return this.primary('main');
    }
  }

  /** Between several servers that take writes. */
  get keysDecide(): boolean {
    const routes = this.#session.context.routes();
    return routes.several || routes.realmOf(undefined).clustered;
  }

  target(): Target | Nowhere {
    const target = targetOf(this.#session);
    const { asked } = this.#session.repeats;
    if (asked === undefined || 'why' in target) return target;
    // What has been moved there is that shard's data already, though the slot is not.
    const { realm } = target;
    const shard = realm.shards.find((one) => one.server(asked.name) !== undefined);
    return shard === undefined ? target : { realm, shard };
  }

  /** Sends it to a shard's primary on the shared line of `lane`. */
  primary(lane: Lane, fallback?: Fallback, sending?: Sending): boolean {
    const { state, context, command, outbox, waiting } = this.#session;
    const target = this.target();
    if ('why' in target) return this.nowhere(target);
    const acked = wantsAcks(this.#session, command);
    const line = acked ? this.ownLine(target) : this.primaryLine(target, lane, state.identity);
    if (typeof line !== 'object') return line;
    if (!this.#mayFollow(line, target.shard)) return waiting.hold(Held.order);
    const reads = this.#session.readsOf(target.shard);
    reads.release();
    if (command.mutates) reads.wrote();
    if (fallback !== undefined) context.counters.fallback(fallback);
    if (acked) {
      this.#session.own.prepare();
      this.#session.own.pin('wait');
    }
    return outbox.accept(line, 'primary', target, acked ? { ...sending, pin: 'wait' } : sending);
  }

  /** Sends it on the session's own connection; `pin` is why it needs one, undefined when it has one already. */
  own(pin: PinReason | undefined, sending?: Sending): boolean {
    const { own, command, outbox } = this.#session;
    const target = this.target();
    if ('why' in target) return this.nowhere(target);
    if (own.kept && this.strays(command, target)) return this.nowhere(elsewhere);
    const line = this.ownLine(target);
    if (typeof line !== 'object') return line;
    own.prepare();
    if (own.pendingMulti) own.begin();
    if (pin !== undefined) own.pin(pin);
    // WAIT counts the writes of its connection: any command makes them all of this moment, those sent elsewhere too.
    if (command.route === 'wait' && !own.inMulti) own.prelude(encodeCommand(['PING']));
    const was = own.kept;
    const { feed } = this.#session;
    const plain = sending?.capture === undefined;
    const note = plain ? own.note(command, feed.argc, () => this.#session.args) : own.queue();
    const capture = sending?.capture ?? note;
    return outbox.accept(line, 'own', target, { ...sending, pin, capture, rooted: was || own.kept });
  }

  /** The shared line to a shard's primary, ready to send; otherwise what the loop is to do. */
  primaryLine({ realm, shard }: Target, lane: Lane, identity: Identity): Line | boolean {
    const { waiting, repeats, outbox, context, ports } = this.#session;
    const server = this.#primaryOf(shard, identity, lane);
    if (typeof server === 'boolean') return server;
    const line = this.#sharedOr(server, identity, lane, false);
    if (line === undefined) return this.#noRoom(server, 'maxLinesPerServer');
    if (line.state === 'closed') return this.#turnedAway(line, identity);
    const why = unready(line);
    if (why !== undefined) return waiting.holdFor(line, why);
    if (line.welcome.role !== 'slave' || repeats.asked !== undefined) return line;
    // What goes to another line must be gone before anything changes.
    outbox.flush();
    // Opened while it was a replica, whose reads go on there: a new one tells what it is now.
    if (!line.exclusive && ports.now() - line.openedAtMs > roleKnownMs) {
      context.servers.leave(line);
      return true;
    }
    line.close('it says it is a replica');
    return this.#awaitRole({ realm, shard }, server);
  }

  /** A server that came back as a replica must not be written to, however it is called. */
  #awaitRole({ realm, shard }: Target, server: Server): boolean {
    realm.doubt({ kind: 'readonly', server: server.name });
    return this.#await(`${server.name} says it is a replica`, shard.checking);
  }

  /** The session's own line, ready to send and nothing owed elsewhere; otherwise what the loop is to do. */
  ownLine(target: Target): Line | boolean {
    const { own, waiting, state, gathering, ledger } = this.#session;
    // The parts of a command are with us until all of them are answered: servers owe nothing of those that are.
    const answered = gathering !== undefined && ledger.answered && own.line?.idle !== false;
    const quiet = this.#session.quiet || answered;
    const evenBusy = endsBusy.has(this.#session.command.name);
    if (own.line === undefined) {
      if (!quiet) return waiting.hold(Held.order);
      const server = this.#primaryOf(target.shard, state.identity, 'own', evenBusy);
      if (typeof server === 'boolean') return server;
      if (own.at(server, evenBusy, this.#session) === undefined) return this.#noLease(server);
      this.#ownRealm = target.realm;
    }
    const line = own.line as Line;
    if (line.state === 'closed' && own.rooted) {
      // Its transaction, or whatever else was in it, is lost: nothing behind that may run by itself.
      this.#session.finish();
      return false;
    }
    const wanted = this.#session.repeats.asked ?? target.shard.primary;
    const away = wanted !== undefined && line.server.name !== wanted.name;
    // Who that server is, and its database, are unknown.
    const another = !own.rooted && (away || (line.welcome.busy === true && !evenBusy));
    if (line.state === 'closed' || (another && quiet)) {
      if (answered && line.state === 'open') own.release();
      else own.lose();
      return true;
    }
    if (another) return waiting.hold(Held.order);
    const why = unready(line);
    if (why !== undefined) return waiting.holdFor(line, why);
    if (line.welcome.role === 'slave' && !own.rooted && quiet) {
      own.lose();
      return this.#awaitRole(target, line.server);
    }
    return this.#mayFollow(line, target.shard) ? line : waiting.hold(Held.order);
  }

  /** Its keys are on another route than the connection that the session cannot leave. */
  strays(command: Command, target: Target | Nowhere): boolean {
    const { own, context, args } = this.#session;
    if (!context.routes().several || own.line === undefined) return false;
    if ('why' in target) return target.final;
    return target.realm !== this.#ownRealm && keysOf(command, args).length > 0;
  }

  /** The error for what the connection that the client is joined to must not get; undefined: it may. */
  straying(): string | undefined {
    const { command, context } = this.#session;
    if (!context.routes().several || command.keys === undefined) return undefined;
    return this.strays(command, this.target()) ? `OUTRIGGER not sent: ${elsewhere.why}` : undefined;
  }

  /** Where keys decide, a transaction has none to go by before its first command: it is begun there, and here in word. */
  #multi(): boolean {
    const { own, feed } = this.#session;
    if (!this.keysDecide || feed.argc !== 1) return this.own('multi');
    const answered = this.#session.answer(ok);
    if (answered) own.pendingMulti = true;
    return answered;
  }

  /** A transaction without commands. */
  #endEmpty(how: 'exec' | 'discard'): boolean {
    const { own } = this.#session;
    const executed = own.spoilt ? aborted : emptyList;
    const answered = this.#session.answer(how === 'exec' ? executed : ok);
    if (answered) own.end();
    return answered;
  }

  #read(lane: Lane): boolean {
    const session = this.#session;
    const target = this.target();
    if ('why' in target) return this.nowhere(target);
    const reads = session.readsOf(target.shard);
    for (;;) {
      const { atPrimary, asked } = session.repeats;
      if (atPrimary || asked !== undefined) return this.primary(lane, Fallback.failed);
      const choice = reads.choose(this.#situation(target.shard, lane));
      if (choice === 'refused') return session.refuse(reads.refusal(), 'noReplica');
      if (choice === 'wait') return session.waiting.hold(Held.proof);
      if (choice === 'primary') return this.primary(lane, reads.fallback);
      const went = this.#atReplica(choice, target, lane);
      if (went !== undefined) return went;
    }
  }

  /** Undefined: it is out of reach, which is known of it now, so another choice is to be made. */
  #atReplica(replica: Replica, target: Target, lane: Lane): boolean | undefined {
    const { context, state, waiting, outbox } = this.#session;
    const { shard, realm } = target;
    const { servers, counters } = context;
    const server = shard.server(replica.name);
    const down = server === undefined ? 'it is gone' : servers.whyDown(server, state.identity, lane);
    if (server === undefined || down !== undefined) {
      shard.topology.replicaFailed(replica, down ?? '');
      shard.needRound();
      return undefined;
    }
    const line = this.#sharedOr(server, state.identity, lane, realm.clustered);
    if (line === undefined) return this.#noRoom(server, 'maxLinesPerServer');
    if (line.state === 'closed') return this.primary(lane, Fallback.failed);
    const why = unready(line);
    if (why !== undefined) return waiting.holdFor(line, why);
    const reads = this.#session.readsOf(shard);
    if (!reads.matches(replica, line.welcome.runId)) {
      // Another process than the one that has proven itself: a restart nobody has noticed yet.
      shard.needRound();
      return this.primary(lane, Fallback.fence);
    }
    if (!this.#mayFollow(line, shard)) return waiting.hold(Held.order);
    reads.placed(replica);
    counters.replicaRead(reads.path);
    return outbox.accept(line, 'replica', target);
  }

  nowhere({ why, final }: Nowhere): boolean {
    return final ? this.#session.refuse(`not sent: ${why}`, 'noTarget') : this.#await(why);
  }

  /** The line that is shared, unless large answers have got the session one of its own. */
  #sharedOr(server: Server, identity: Identity, lane: Lane, readonly: boolean): Line | undefined {
    const { heavy, state, context } = this.#session;
    const own = identity === state.identity ? heavy?.line(server, readonly) : undefined;
    return own ?? context.servers.line(server, identity, lane, readonly);
  }

  /** No shared connection may be opened at the moment. There is nothing to be told of it. */
  #noRoom(server: Server, limit: 'maxLinesPerServer' | 'maxLeasesPerServer', retryMs = lineRetryMs): boolean {
    const { waiting, context } = this.#session;
    const { limits } = context;
    const left = limits.connectionWaitMs - waiting.forMs;
    if (left > 0) return waiting.holdUntil(Math.min(retryMs, left), Held.limit);
    const text = `no connection: ${server.name} has as many as ${limit} ${limits[limit]} allows; the command was not sent`;
    return this.#session.refuse(text, 'limit');
  }

  #noLease(server: Server): boolean {
    const { waiting, context, heavy } = this.#session;
    // What is held already must not be what others wait for.
    if (heavy !== undefined) {
      heavy.end();
      return true;
    }
    waiting.holdIn(context.servers.queue(server));
    return this.#noRoom(server, 'maxLeasesPerServer', context.limits.connectionWaitMs);
  }

  /** The server has refused the identity a moment ago. Whoever wants to become it answers that; others cannot go on. */
  #turnedAway(line: Line, identity: Identity): Line | boolean {
    const { state, context } = this.#session;
    context.counters.refused('identity');
    if (identity !== state.identity) return line;
    return this.#session.refuse(
      `${line.server.name}: ${line.refusal?.why}; the command was not sent`,
      'login',
    );
  }

  #primaryOf(shard: Shard, identity: Identity, lane: Lane | 'own', evenBusy = false): Server | boolean {
    const { context, repeats } = this.#session;
    const server = repeats.asked ?? shard.primary;
    if (server === undefined) return this.#await(shard.why, shard.checking);
    const down = context.servers.whyDown(server, identity, lane);
    if (down === undefined || (evenBusy && isBusy(down))) return server;
    return this.#await(`${server.name} is unreachable: ${down}`);
  }

  /** No one can take it now. Where a primary can be elected, or one is being asked, it waits for that, for a time. */
  #await(why: string, checking = false): boolean {
    const { context, waiting, ports } = this.#session;
    const most = Math.max(context.failoverWaitMs(), checking ? context.limits.pollTimeoutMs : 0);
    const left = most - waiting.forMs;
    if (left <= 0) return this.#session.refuse(`no primary: ${why}; the command was not sent`, 'noPrimary');
    if (waiting.reason !== Held.election && !context.budget.mayWait) {
      const text = `no primary: ${why}; as many commands as maxWaiting allows wait for one; the command was not sent`;
      return this.#session.refuse(text, 'limit');
    }
    ports.watchRealm(true);
    return waiting.holdUntil(left, Held.election);
  }

  /** Whether the request may be under way at `line` together with what is owed already. */
  #mayFollow(line: Line, shard: Shard): boolean {
    const { outbox, ledger, command } = this.#session;
    if (outbox.last !== undefined && outbox.last.line !== line) outbox.flush();
    if (ledger.onlyAt(line)) return true;
    if (command.route !== 'read' || command.mutates || line.exclusive || !ledger.onlyReads) return false;
    // Even a replica that is behind may show more than the primary does, if it is asked first and executes last.
    return !this.#session.readsOf(shard).guarded || ledger.onlyAt(line, shard);
  }

  #situation(shard: Shard, lane: Lane): { primaryOwes: boolean; reached: string | undefined } {
    const { outbox, ledger, context, state } = this.#session;
    const last = outbox.last?.shard === shard ? outbox.last : ledger.lastOf(shard);
    const { replica } = this.#session.readsOf(shard);
    const line =
      replica === undefined ? undefined : context.servers.openLine(replica.name, state.identity, lane);
    return {
      // A replica that takes no reads any more may show more than the next one, and what it will is not known yet.
      primaryOwes: last !== undefined && last.replica?.eligible !== true,
      reached: line?.welcome.runId,
    };
  }
}

/** Why it would need a connection of its own if there were none yet. */
function pinOf({ route }: Command, argc: number): PinReason | undefined {
  switch (route) {
    case 'multi':
      return argc === 1 ? route : undefined;
    case 'watch':
    case 'wait':
    case 'sticky':
      return route;
    default:
      return route === 'blocking' || route === 'aside' ? 'blocking' : undefined;
  }
}

function unready(line: Line): Held | undefined {
  if (line.state === 'opening') return Held.connect;
  return line.full ? Held.backpressure : undefined;
}
