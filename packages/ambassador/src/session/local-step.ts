/** Carries out what is decided for a client's own session (locals/): the commands no server sees as they are. */

import { encodeError } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { answerLocally } from '../locals/answer.ts';
import type { Greeting, LocalAnswer } from '../locals/answer.ts';
import { takeMuted } from '../locals/mute.ts';
import { Held, Place } from '../observe/names.ts';
import type { Line } from '../upstream/line.ts';
import type { Session } from './session.ts';

type Become = Extract<LocalAnswer, { do: 'become' }>;
type Pin = Extract<LocalAnswer, { do: 'pin' }>;
type Forward = Extract<LocalAnswer, { do: 'forward' }>;

const silence = new Uint8Array(0);
const minus = 0x2d;

export class LocalStep {
  readonly #session: Session;
  /** Decided, but waiting for a connection: the decision may have changed the session, so it is made once. */
  #answer: LocalAnswer | undefined;
  #muted = false;
  /** The connection of another identity that is being opened. */
  #becoming: Line | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The request shown is local. Everything before it is answered first: it may change what they depend on. */
  step(): boolean {
    const session = this.#session;
    if (!session.quiet) return session.hold(Held.order);
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
        session.context.keepFromReuse(answer.session);
        return session.placeOwn('blocking', { replaced: answer.request, muted: this.#muted });
      case 'pin':
        return this.#pin(answer);
      case 'become':
        return session.own.kept ? this.#becomeThere(answer) : this.#become(answer);
      case 'reset':
        session.own.drop();
        return this.#reply(answer.bytes, answer.loud);
      case 'close':
        this.#reply(answer.bytes, true);
        session.finish();
        return true;
      case 'kill':
        this.#reply(answer.bytes, false);
        session.context.kill(answer.sessions);
        if (answer.self) session.finish();
        return true;
    }
  }

  #reply(bytes: Uint8Array, loud = false): boolean {
    const { context, command } = this.#session;
    context.counters.sent(command.index, Place.local);
    return this.#session.answerOwn(this.#muted && !loud ? silence : bytes);
  }

  #forward({ unpin, rewrite }: Forward): boolean {
    const session = this.#session;
    const options = { muted: this.#muted };
    const went = session.own.kept
      ? session.placeOwn(undefined, options)
      : session.placePrimary('main', undefined, options);
    if (!went || (unpin === undefined && rewrite === undefined)) return went;
    session.capture((reply) => {
      if (unpin === 'tracking' && reply[0] !== minus) session.own.tracking = false;
      return rewrite?.(reply) ?? reply;
    });
    return true;
  }

  #pin({ reason, request }: Pin): boolean {
    const session = this.#session;
    const was = session.own.kept;
    const went = session.placeOwn(reason, { replaced: request, muted: this.#muted });
    if (!went) return false;
    const { own } = session;
    if (reason === 'tracking') own.tracking = true;
    else own.stuck = true;
    session.capture((reply) => {
      if (reply[0] === minus && !was) own.tracking = own.stuck = false;
      else own.dirty();
      return reply;
    });
    return true;
  }

  /** On a connection of its own the client's request goes there, and that connection is another from then on. */
  #becomeThere(answer: Become): boolean {
    const session = this.#session;
    const went = session.placeOwn('sticky', { muted: this.#muted });
    if (!went) return false;
    session.own.stuck = true;
    session.own.dirty();
    const { hello } = session.own.line?.welcome ?? { hello: undefined };
    session.capture((reply) => (reply[0] === minus ? reply : answer.done(greetingOf(hello))));
    return true;
  }

  #become(answer: Become): boolean {
    const session = this.#session;
    const before = this.#becoming;
    if (before?.state === 'closed') {
      this.#becoming = undefined;
      const error = before.refusal?.error;
      if (error !== undefined) return this.#reply(encodeError(error));
    }
    const target = session.target();
    if (typeof target === 'string') return session.refuse(target, 'noSlot');
    const line = session.primaryLine(target, 'main', answer.identity);
    if (typeof line === 'object') {
      this.#becoming = undefined;
      return this.#reply(answer.done(greetingOf(line.welcome.hello)));
    }
    this.#becoming = session.waitedFor;
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
