/**
 * What passes on a connection of its own as it arrives: a request too large to hold, and everything once client and
 * server are joined (raw.ts).
 */

import { encodeError } from '@outrigger/core/resp';
import type { RespLimits } from '@outrigger/core/resp';
import { Held, Place } from '../observe/names.ts';
import { RawMode } from './raw.ts';
import type { Session } from './session.ts';

const unread = 'it cannot be read as a request, so no rule can be applied';
/** In the words of Redis, which has such limits too. */
const wrong: Partial<Record<keyof RespLimits, string>> = {
  maxBulkBytes: 'invalid bulk length',
  maxArguments: 'invalid multibulk length',
  maxInlineBytes: 'too big inline request',
};

export class Passing {
  /** Set while client and server are joined. */
  raw: RawMode | undefined;
  readonly #session: Session;
  #shown: () => void = () => {};

  constructor(session: Session) {
    this.#session = session;
  }

  /** The request shown is too large to hold: it passes as it arrives, on a connection that nobody else waits for. */
  large(): boolean {
    const session = this.#session;
    const { feed, context, outbox, waiting } = session;
    const { command } = feed;
    const routes = context.routes();
    const realm = routes.realmOf(undefined);
    const shard = realm.shardOf(-1);
    const plain = command?.route === 'read' || command?.route === 'write' || command?.route === 'primary';
    const oneShard = !routes.several && !realm.clustered && shard !== undefined;
    if (!plain || !oneShard || command.examine !== undefined || feed.inline) {
      outbox.flush();
      feed.wantWhole();
      return true;
    }
    const waits = session.gate.shut() ?? (session.quiet ? undefined : Held.order);
    if (waits !== undefined) return waiting.hold(waits);
    session.command = command;
    const refusal = context.refusal(command, session.state);
    if (refusal !== undefined) return session.refused(refusal);
    const line = session.placing.ownLine({ realm, shard });
    if (typeof line !== 'object') return line;
    session.own.prepare();
    session.own.pin('large');
    return outbox.accept(line, 'own', { realm, shard }, { pin: 'large' });
  }

  /** From here on the client and a connection of its own are joined, until what began it has ended. */
  join(reason: 'subscribe' | 'monitor' | 'splice'): boolean {
    const session = this.#session;
    const { waiting, placing, own } = session;
    if (session.feed.next() === 'foreign') session.command = session.context.table.unknown;
    if (!session.quiet) return waiting.hold(Held.order);
    if (reason === 'splice' && !this.mayBlindly()) return this.malformed();
    const target = placing.target();
    if ('why' in target) return session.lacking.shard(target);
    const line = placing.ownLine(target);
    if (typeof line !== 'object') return line;
    own.prepare();
    const begun = own.pendingMulti ? placing.begin(line) : undefined;
    if (begun !== undefined) return begun;
    own.pin(reason);
    waiting.over();
    session.context.counters.sent(session.command.index, Place.own);
    this.#shown = () => session.readsOf(target.shard).answered(line.welcome.runId, true);
    this.raw = new RawMode(session, line, reason === 'splice', this, () => {
      this.end();
      // Keys that are watched may keep the connection.
      own.unpin(reason);
      own.release();
      own.line?.wait(session);
    });
    return true;
  }

  /** Rules have changed, and forbid what goes on here by now. */
  get forbidden(): boolean {
    return this.raw?.forbidden === true;
  }

  /** Whether a server may be left to say what is wrong with the request. */
  mayBlindly(): boolean {
    const { context, state, feed } = this.#session;
    return context.mayPassUnseen(state) && (feed.next() !== 'foreign' || feed.exceeds === undefined);
  }

  /** What cannot be read cannot be judged either: where something is forbidden, or above a limit, it ends here. */
  malformed(): true {
    const session = this.#session;
    const { exceeds } = session.feed;
    const why = exceeds === undefined ? unread : (wrong[exceeds] ?? unread);
    session.toClient(encodeError(`ERR Protocol error: ${why}`));
    session.finish();
    return true;
  }

  /** What the client was shown, or has written, meanwhile, its next reads must not be behind. */
  end(): void {
    this.raw?.end();
    this.raw = undefined;
    this.#shown();
    this.#shown = () => {};
  }
}
