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
import { wantsAcks } from './acks.ts';
import { agreed } from './asked-multi.ts';
import { shareScript } from './script-sharing.ts';
import { overShards } from './shards.ts';
import type { Sending } from './outbox.ts';
import type { Session } from './session.ts';
import type { Identity, PinReason } from './state.ts';
import { targetOf } from './target.ts';
import type { Nowhere, Target } from './target.ts';

/** What a server has said of its role when a line was opened may be out of date after this. */
const roleKnownMs = 100;
const ok = Buffer.from('+OK\r\n');
const elsewhere: Nowhere = {
  why: 'its keys are on another route than what this connection has begun',
  final: true,
};
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
    if ('why' in target) return this.#session.lacking.shard(target);
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
    const { own, command, outbox, waiting } = this.#session;
    const target = this.target();
    if ('why' in target) return this.#session.lacking.shard(target);
    if (own.kept && this.strays(command, target)) return this.#session.lacking.shard(elsewhere);
    const line = this.ownLine(target);
    if (typeof line !== 'object') return line;
    own.prepare();
    if (own.pendingMulti) {
      const begun = this.begin(line);
      if (begun !== undefined) return begun;
    }
    // Whether what is behind MULTI has to be acknowledged by itself is known once that is answered.
    const begins = own.inMulti && own.lastQueued < 0 && !this.#session.quiet;
    if (begins && this.#session.context.writeAcks().replicas > 0) return waiting.hold(Held.order);
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
    const { waiting, repeats, outbox, context, ports, lacking } = this.#session;
    const server = lacking.primary(shard, identity, lane);
    if (typeof server === 'boolean') return server;
    const line = this.#sharedOr(server, identity, lane, false);
    if (line === undefined) return lacking.line(server);
    if (line.state === 'closed') return lacking.login(line, identity);
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
    return lacking.role({ realm, shard }, server);
  }

  /** The session's own line, ready to send and nothing owed elsewhere; otherwise what the loop is to do. */
  ownLine(target: Target): Line | boolean {
    const { own, waiting, state, gathering, ledger, lacking } = this.#session;
    // The parts of a command are with us until all of them are answered: servers owe nothing of those that are.
    const answered = gathering !== undefined && ledger.answered && own.line?.idle !== false;
    const quiet = this.#session.quiet || answered;
    const { evenBusy } = lacking;
    if (own.line === undefined) {
      if (!quiet) return waiting.hold(Held.order);
      const server = lacking.primary(target.shard, state.identity, 'own');
      if (typeof server === 'boolean') return server;
      if (own.at(server, evenBusy, this.#session) === undefined) return lacking.lease(server);
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
    const strange = line.welcome.busy === true && !evenBusy;
    // Only as a busy one is it good enough without being known for the primary.
    const idler = wanted === undefined && line.state === 'open' && line.welcome.busy !== true;
    const another = !own.rooted && (away || strange || idler);
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
      return lacking.role(target, line.server);
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

  /** The transaction that was begun in word begins at its server. Undefined: it has; otherwise what the loop is to do. */
  begin(line: Line): boolean | undefined {
    const { own, waiting } = this.#session;
    const reply = own.begin(line, () => this.#session.advance());
    if (reply === undefined) return waiting.hold(Held.order);
    if (reply === agreed) return undefined;
    // The command is refused as if it had been queued and had failed; the next may be luckier, EXEC will not.
    own.lose();
    return this.#session.refused(reply.slice(1));
  }

  /** A transaction without commands. */
  #endEmpty(how: 'exec' | 'discard'): boolean {
    const { own, feed } = this.#session;
    if (feed.argc !== 1) return this.#session.refused(`ERR wrong number of arguments for '${how}' command`);
    const executed = own.spoilt ? aborted : emptyList;
    const answered = this.#session.answer(how === 'exec' ? executed : ok);
    if (answered) own.end();
    return answered;
  }

  #read(lane: Lane): boolean {
    const session = this.#session;
    const target = this.target();
    if ('why' in target) return this.#session.lacking.shard(target);
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
    const { context, state, waiting, outbox, lacking } = this.#session;
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
    if (line === undefined) return lacking.line(server);
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

  /** The line that is shared, unless large answers have got the session one of its own. */
  #sharedOr(server: Server, identity: Identity, lane: Lane, readonly: boolean): Line | undefined {
    const { heavy, state, context } = this.#session;
    const own = identity === state.identity ? heavy?.line(server, readonly) : undefined;
    return own ?? context.servers.line(server, identity, lane, readonly);
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
