/** Carries out what is decided for a client's own session (locals/): the commands no server sees as they are. */

import { decodeReply, encodeError } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { answerLocally } from '../locals/answer.ts';
import type { Greeting, LocalAnswer } from '../locals/answer.ts';
import { takeMuted } from '../locals/mute.ts';
import { Held, Place } from '../observe/names.ts';
import type { Line } from '../upstream/line.ts';
import type { Identity } from './state.ts';
import type { Server } from '../upstream/server.ts';
import type { Session } from './session.ts';

type Become = Extract<LocalAnswer, { do: 'become' }>;
type Pin = Extract<LocalAnswer, { do: 'pin' }>;
type Forward = Extract<LocalAnswer, { do: 'forward' }>;

const minus = 0x2d;
/** Until there may be room for a connection that asks. */
const askAgainMs = 10;

export class LocalStep {
  readonly #session: Session;
  /** Decided, but waiting for a connection: the decision may have changed the session, so it is made once. */
  #answer: LocalAnswer | undefined;
  #muted = false;
  /** The connection of another identity that is being opened. */
  #becoming: Line | undefined;
  /** The connection that asks whether a password is good; once it has, the answer to come needs no more asking. */
  #asking: Line | undefined;
  #asked = false;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Whether the request shown is muted, where that has been decided. */
  get muted(): boolean | undefined {
    return this.#answer === undefined ? undefined : this.#muted;
  }

  /** The request shown is local. Everything before it is answered first: it may change what they depend on. */
  step(): boolean {
    const session = this.#session;
    if (!session.quiet) return session.waiting.hold(Held.order);
    if (this.#answer === undefined) {
      const { context, state, ports } = session;
      this.#muted = takeMuted(state);
      this.#answer = answerLocally(session.args, state, context.registry, ports.now(), context.auth());
    }
    const went = this.#carryOut(this.#answer);
    if (went) this.#answer = undefined;
    return went;
  }

  #carryOut(answer: LocalAnswer): boolean {
    const session = this.#session;
    switch (answer.do) {
      case 'reply':
        return this.#reply(answer.bytes, answer.loud);
      case 'forward':
        return this.#forward(answer);
      case 'aside':
        // Where that session's connection is: its number there may be somebody else's at another server.
        session.repeats.use({ asked: session.context.keepFromReuse(answer.session) });
        return session.placing.own('blocking', { replaced: answer.request, muted: this.#muted });
      case 'pin':
        return this.#pin(answer);
      case 'become':
        return session.own.kept ? this.#becomeThere(answer) : this.#become(answer);
      case 'reset':
        session.own.drop();
        return this.#reply(answer.bytes, answer.loud);
      case 'close':
        this.#reply(answer.bytes);
        session.finish();
        return true;
      case 'kill':
        this.#reply(answer.bytes);
        session.context.kill(answer.sessions);
        if (answer.self) session.finish();
        return true;
    }
  }

  #reply(bytes: Uint8Array, loud = false): boolean {
    const { context, command } = this.#session;
    context.counters.sent(command.index, Place.local);
    return this.#session.answer(bytes, loud);
  }

  #forward({ request, unpin, rewrite, agreed }: Forward): boolean {
    const { own, placing } = this.#session;
    const { inMulti } = own;
    let at = 0;
    const capture = (reply: Buffer): Uint8Array => {
      if (reply[0] !== minus) {
        if (unpin === 'tracking') own.tracking = false;
        if (unpin !== undefined) own.unpin(unpin);
        if (agreed !== undefined && inMulti) own.afterExec(at, agreed);
        else agreed?.();
      }
      return rewrite?.(reply) ?? reply;
    };
    const plain = unpin === undefined && rewrite === undefined && agreed === undefined;
    const sending = { replaced: request, muted: this.#muted, capture: plain ? undefined : capture };
    if (inMulti && agreed !== undefined) own.dirty();
    const went = own.kept ? placing.own(undefined, sending) : placing.primary('main', undefined, sending);
    if (went) at = own.lastQueued;
    return went;
  }

  #pin({ reason, request, agreed }: Pin): boolean {
    const { own, placing } = this.#session;
    if (placing.keysDecide) {
      const text = 'not sent: it would keep this connection at one server, and keys decide between several';
      return this.#session.refuse(text, 'noTarget');
    }
    const was = { tracking: own.tracking, stuck: own.stuck };
    const capture = (reply: Buffer): Uint8Array => {
      own.dirty();
      if (reply[0] === minus) {
        Object.assign(own, was);
        own.unpin(reason);
      } else agreed?.();
      return reply;
    };
    if (!placing.own(reason, { replaced: request, muted: this.#muted, capture })) return false;
    if (reason === 'tracking') own.tracking = true;
    else own.stuck = true;
    return true;
  }

  /** On a connection of its own the server decides, and that connection is another from then on. */
  #becomeThere(answer: Become): boolean {
    const { own, placing } = this.#session;
    own.dirty();
    const capture = (reply: Buffer): Uint8Array => {
      if (reply[0] === minus) return reply;
      return answer.done(greetingOf(answer.hello ? decodeReply(reply) : undefined));
    };
    return placing.own(undefined, { replaced: answer.request, muted: this.#muted, capture });
  }

  /** The client is gone. */
  end(): void {
    if (this.#asking !== undefined) this.#session.context.servers.giveBack(this.#asking);
    this.#asking = undefined;
  }

  #isLogin({ identity }: Become): boolean {
    const { identity: before } = this.#session.state;
    return identity.password !== before.password || identity.user !== before.user;
  }

  /**
   * A password is for the server to judge, each time: that a connection with it is open already only says that it was good
   * once. Undefined: it is good.
   */
  #ask(server: Server, identity: Identity): boolean | undefined {
    const { context, waiting } = this.#session;
    this.#asking ??= context.servers.fresh(server, identity);
    const line = this.#asking;
    if (line === undefined) return waiting.holdUntil(askAgainMs, Held.limit);
    if (line.state === 'opening') return waiting.holdFor(line, Held.connect);
    const error = line.refusal?.error;
    this.end();
    this.#asked = error === undefined;
    return error === undefined ? undefined : this.#reply(encodeError(error));
  }

  #become(answer: Become): boolean {
    const session = this.#session;
    const before = this.#becoming;
    if (before?.state === 'closed') {
      this.#becoming = undefined;
      const error = before.refusal?.error;
      if (error !== undefined) return this.#reply(encodeError(error));
    }
    const target = session.placing.target();
    if ('why' in target) return session.lacking.shard(target);
    const { primary } = target.shard;
    if (primary !== undefined && !this.#asked && this.#isLogin(answer)) {
      const turnedAway = this.#ask(primary, answer.identity);
      if (turnedAway !== undefined) return turnedAway;
    }
    const line = session.placing.primaryLine(target, 'main', answer.identity);
    if (typeof line === 'object') {
      this.#becoming = undefined;
      const error = line.refusal?.error;
      if (error !== undefined) return this.#reply(encodeError(error));
      this.#asked = false;
      return this.#reply(answer.done(greetingOf(line.welcome.hello)));
    }
    this.#becoming = session.waiting.line;
    return line;
  }
}

function greetingOf(hello: RespValue | undefined): Greeting {
  const pairs: (readonly [string, RespValue])[] = [];
  if (hello?.type === 'map') for (const [key, value] of hello.entries) pairs.push([textOf(key), value]);
  if (hello?.type === 'list') {
    for (let i = 0; i + 1 < hello.items.length; i += 2) {
      pairs.push([textOf(hello.items[i] as RespValue), hello.items[i + 1] as RespValue]);
    }
  }
  return { hello: new Map(pairs) };
}

function textOf(value: RespValue): string {
  return value.type === 'bulk' ? value.bytes.toString('latin1') : '';
}
