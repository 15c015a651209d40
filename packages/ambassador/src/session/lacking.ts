/** What a request does for which there is no server, or no connection to it: it waits, for a time, or is refused. */

import { Held } from '../observe/names.ts';
import type { Shard } from '../topology/realm.ts';
import type { Line } from '../upstream/line.ts';
import type { Server } from '../upstream/server.ts';
import type { Lane } from '../upstream/servers.ts';
import { isBusy } from '../upstream/welcome.ts';
import type { Session } from './session.ts';
import type { Identity } from './state.ts';
import type { Nowhere, Target } from './target.ts';

/** Until a shared line may be free to open: there is nothing to be told of it. */
const lineRetryMs = 10;
/** What a busy server takes, to be busy no longer. None of these writes data. */
const endsBusy: ReadonlySet<string> = new Set(['SCRIPT|KILL', 'FUNCTION|KILL', 'SHUTDOWN']);

export class Lacking {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Whether the request shown may go to a server that is too busy to say who it is. */
  get evenBusy(): boolean {
    return endsBusy.has(this.#session.command.name);
  }

  /** The shard's primary, if it can be reached; otherwise what the loop is to do. */
  primary(shard: Shard, identity: Identity, lane: Lane | 'own'): Server | boolean {
    const { context, repeats } = this.#session;
    const evenBusy = lane === 'own' && this.evenBusy;
    const server = repeats.asked ?? shard.primary ?? (evenBusy ? shard.busy?.server : undefined);
    if (server === undefined) {
      return shard.busy === undefined
        ? this.election(shard.why, shard.checking)
        : this.#session.refused(shard.busy.why);
    }
    const down = context.servers.whyDown(server, identity, lane);
    if (down === undefined || (evenBusy && isBusy(down))) return server;
    // In the words of the server itself, as whoever has a connection to it gets them.
    return isBusy(down)
      ? this.#session.refused(down)
      : this.election(`${server.name} is unreachable: ${down}`);
  }

  /** A server that came back as a replica must not be written to, however it is called. */
  role({ realm, shard }: Target, server: Server): boolean {
    realm.doubt({ kind: 'readonly', server: server.name });
    return this.election(`${server.name} says it is a replica`, shard.checking);
  }

  shard({ why, final }: Nowhere): boolean {
    return final ? this.#session.refuse(`not sent: ${why}`, 'noTarget') : this.election(why);
  }

  /** No one can take it now. Where a primary can be elected, or one is being asked, it waits for that, for a time. */
  election(why: string, checking = false): boolean {
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

  /** No shared connection may be opened at the moment. There is nothing to be told of it. */
  line(server: Server): boolean {
    return this.#room(server, 'maxLinesPerServer', lineRetryMs);
  }

  lease(server: Server): boolean {
    const { waiting, context, heavy } = this.#session;
    // What is held already must not be what others wait for.
    if (heavy !== undefined) {
      heavy.end();
      return true;
    }
    waiting.holdIn(context.servers.queue(server));
    return this.#room(server, 'maxLeasesPerServer', context.limits.connectionWaitMs);
  }

  /** The server has refused the identity a moment ago. Whoever wants to become it answers that; others cannot go on. */
  login(line: Line, identity: Identity): Line | boolean {
    const { state, context } = this.#session;
    context.counters.refused('identity');
    if (identity !== state.identity) return line;
    return this.#session.refuse(
      `${line.server.name}: ${line.refusal?.why}; the command was not sent`,
      'login',
    );
  }

  #room(server: Server, limit: 'maxLinesPerServer' | 'maxLeasesPerServer', retryMs: number): boolean {
    const { waiting, context } = this.#session;
    const { limits } = context;
    const left = limits.connectionWaitMs - waiting.forMs;
    if (left > 0) return waiting.holdUntil(Math.min(retryMs, left), Held.limit);
    const text = `no connection: ${server.name} has as many as ${limit} ${limits[limit]} allows; the command was not sent`;
    return this.#session.refuse(text, 'limit');
  }
}
