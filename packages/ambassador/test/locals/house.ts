/**
 * A tiny ambassador that carries out local answers before a real server, one command at a time: lines by identity that
 * guests share, a connection of one's own while there is a reason for it. No order, no pipelining, no failure.
 */

import { newSession } from '../../src/daemon/new-session.ts';
import { decodeReply, encodeCommand } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import type { Redis, Teardown } from '../../../../test/harness/index.ts';
import { answerLocally } from '../../src/locals/answer.ts';
import type { AuthCheck, Greeting, LocalAnswer, SessionRegistry } from '../../src/locals/answer.ts';
import { takeMuted } from '../../src/locals/mute.ts';
import type { Identity, PinReason, SessionState } from '../../src/session/state.ts';
import { Wire } from './wire.ts';

type Answer<D extends LocalAnswer['do']> = Extract<LocalAnswer, { do: D }>;

/** Whoever comes is welcome, and whoever says a password is sent to the server with it. */
export const open: AuthCheck = { required: false, check: () => 'ask-server' };

export class House implements SessionRegistry {
  nowMs = 1_000_000;
  readonly t: Teardown;
  readonly port: number;
  readonly auth: AuthCheck;
  readonly #guests = new Map<number, Guest>();
  readonly #lines = new Map<string, Wire>();
  #lastId = 0;

  constructor(t: Teardown, server: Pick<Redis, 'port'>, auth: AuthCheck = open) {
    this.t = t;
    this.port = server.port;
    this.auth = auth;
  }

  /** Someone new; with an id or an address when a test wants to know it before. */
  guest(known: { readonly id?: number; readonly peer?: string; readonly local?: string } = {}): Guest {
    const guest = new Guest(
      this,
      newState({ id: ++this.#lastId, peer: `10.0.0.1:${this.#lastId}`, ...known }, this),
    );
    this.#guests.set(guest.state.id, guest);
    return guest;
  }

  *all(): Iterable<SessionState> {
    for (const guest of this.#guests.values()) yield guest.state;
  }

  byId(id: number): SessionState | undefined {
    return this.#guests.get(id)?.state;
  }

  leave(id: number): void {
    this.#guests.get(id)?.leave();
    this.#guests.delete(id);
  }

  /** The shared line of an identity, or the server's refusal to open it. */
  async line(identity: Identity): Promise<Wire | Buffer> {
    const key = JSON.stringify(identity);
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const opened = await this.connection(identity);
    if (opened instanceof Wire) this.#lines.set(key, opened);
    return opened;
  }

  async connection({ user, password, protocol, database }: Identity): Promise<Wire | Buffer> {
    const wire = await Wire.open(this.t, this.port);
    const steps: (string | number)[][] = [];
    if (password !== undefined) steps.push(['AUTH', ...(user === undefined ? [] : [user]), password]);
    if (protocol === 3) steps.push(['HELLO', 3]);
    if (database !== 0) steps.push(['SELECT', database]);
    for (const words of steps) {
      const reply = await wire.ask(encodeCommand(words));
      if (refused(reply)) return reply;
    }
    return wire;
  }
}

const local = new Set([
  'HELLO',
  'AUTH',
  'SELECT',
  'QUIT',
  'RESET',
  'CLIENT',
  'READONLY',
  'READWRITE',
  'ASKING',
]);

export class Guest {
  readonly state: SessionState;
  /** Every push that has arrived on its own connection. */
  get pushes(): string[] {
    return this.own?.pushes.map(String) ?? [];
  }
  own: Wire | undefined;
  gone = false;
  readonly #house: House;
  /** What EXEC will make true. */
  #queued: (() => void)[] = [];

  constructor(house: House, state: SessionState) {
    this.#house = house;
    this.state = state;
  }

  async say(...words: readonly (string | number)[]): Promise<string> {
    return (await this.ask(words.map((one) => Buffer.from(String(one))))).toString('latin1');
  }

  /** Everything it receives for one command: nothing, when it is muted. */
  async ask(args: readonly Buffer[]): Promise<Buffer> {
    if (this.gone) return Buffer.alloc(0);
    const { state } = this;
    state.lastMs = this.#house.nowMs;
    state.commands++;
    const name = String(args[0]).toUpperCase();
    const muted = takeMuted(state);
    if (!local.has(name)) {
      const reply = await this.#elsewhere(name, args);
      state.lastCommand = name;
      return muted ? Buffer.alloc(0) : reply;
    }
    const answer = answerLocally(args, state, this.#house, this.#house.nowMs, this.#house.auth);
    const reply = await this.#carryOut(answer, args);
    state.lastCommand = name === 'CLIENT' ? `CLIENT|${String(args[1]).toUpperCase()}` : name;
    const loud = 'loud' in answer && answer.loud;
    return muted && !loud ? Buffer.alloc(0) : Buffer.from(reply);
  }

  async pin(reason: PinReason): Promise<Wire> {
    if (this.own === undefined) {
      const own = await this.#house.connection(this.state.identity);
      if (!(own instanceof Wire)) throw new Error(`refused: ${own.toString()}`);
      this.own = own;
      this.state.serverId = Number((await own.say('CLIENT', 'ID')).slice(1));
    }
    this.state.pins = new Set([...this.state.pins, reason]);
    return this.own;
  }

  unpin(reason: PinReason): void {
    this.state.pins = new Set([...this.state.pins].filter((one) => one !== reason));
    if (this.state.pins.size > 0) return;
    this.own?.close();
    this.own = undefined;
    this.state.serverId = 0;
  }

  leave(): void {
    for (const reason of [...this.state.pins]) this.unpin(reason);
    this.gone = true;
  }

  #carryOut(answer: LocalAnswer, args: readonly Buffer[]): Promise<Uint8Array> | Uint8Array {
    switch (answer.do) {
      case 'reply':
        return answer.bytes;
      case 'forward':
        return this.#forward(answer, args);
      case 'aside':
        return this.#aside(answer.request);
      case 'pin':
        return this.#pinned(answer, args);
      case 'become':
        return this.#become(answer);
      case 'reset':
        for (const reason of [...this.state.pins]) this.unpin(reason);
        this.#queued = [];
        return answer.bytes;
      case 'close':
        this.#house.leave(this.state.id);
        return answer.bytes;
      case 'kill':
        for (const id of answer.sessions) this.#house.leave(id);
        if (answer.self) this.#house.leave(this.state.id);
        return answer.bytes;
    }
  }

  async #wire(): Promise<Wire> {
    const wire = this.own ?? (await this.#house.line(this.state.identity));
    if (wire instanceof Wire) return wire;
    throw new Error(`the server refuses ${JSON.stringify(this.state.identity)}: ${wire.toString()}`);
  }

  async #forward(answer: Answer<'forward'>, args: readonly Buffer[]): Promise<Uint8Array> {
    const reply = await (await this.#wire()).ask(answer.request ?? encodeCommand(args));
    if (!refused(reply)) {
      if (answer.agreed !== undefined && this.state.pins.has('multi')) this.#queued.push(answer.agreed);
      else answer.agreed?.();
      if (answer.unpin !== undefined) this.unpin(answer.unpin);
    }
    return answer.rewrite?.(reply) ?? reply;
  }

  async #pinned(answer: Answer<'pin'>, args: readonly Buffer[]): Promise<Uint8Array> {
    const had = this.state.pins.has(answer.reason);
    const own = await this.pin(answer.reason);
    const reply = await own.ask(answer.request ?? encodeCommand(args));
    if (!refused(reply)) answer.agreed?.();
    else if (!had) this.unpin(answer.reason);
    return reply;
  }

  async #become(answer: Answer<'become'>): Promise<Uint8Array> {
    if (this.own !== undefined) {
      const reply = await this.own.ask(answer.request);
      if (refused(reply)) return reply;
      return answer.done(greeting(answer.hello ? reply : undefined));
    }
    const line = await this.#house.line(answer.identity);
    if (!(line instanceof Wire)) return line;
    const reply = answer.hello ? await line.ask(encodeCommand(['HELLO'])) : undefined;
    if (reply !== undefined && refused(reply)) return reply;
    return answer.done(greeting(reply));
  }

  async #aside(request: Uint8Array): Promise<Uint8Array> {
    const wire = await Wire.open(this.#house.t, this.#house.port);
    const reply = await wire.ask(request);
    wire.close();
    return reply;
  }

  /** Commands that are not local: those that need a connection of their own get it, the others share. */
  async #elsewhere(name: string, args: readonly Buffer[]): Promise<Buffer> {
    const reasons: Record<string, PinReason> = { SUBSCRIBE: 'subscribe', MULTI: 'multi', BLPOP: 'blocking' };
    const reason = reasons[name];
    const wire = reason === undefined ? await this.#wire() : await this.pin(reason);
    wire.send(encodeCommand(args));
    if (name === 'SUBSCRIBE' && this.state.identity.protocol === 3) {
      await wire.until(() => wire.pushes.length > 0);
      return Buffer.from(wire.pushes.shift() ?? '');
    }
    const reply = await wire.reply();
    if (name === 'BLPOP') this.unpin('blocking');
    if (name === 'EXEC' || name === 'DISCARD') this.#ended(name === 'EXEC' && !refused(reply));
    return reply;
  }

  #ended(executed: boolean): void {
    if (executed) for (const agreed of this.#queued) agreed();
    this.#queued = [];
    this.unpin('multi');
  }
}

export function refused(reply: Uint8Array): boolean {
  return reply[0] === 0x2d;
}

function newState(
  known: { readonly id: number; readonly peer: string; readonly local?: string },
  { nowMs, auth }: House,
): SessionState {
  return newSession({ local: '127.0.0.1:6379', ...known }, !auth.required, nowMs);
}

function greeting(reply: Buffer | undefined): Greeting {
  const value = reply && decodeReply(reply);
  const pairs: (readonly [string, RespValue])[] = [];
  const add = (key: RespValue | undefined, item: RespValue | undefined): void => {
    if (key?.type === 'bulk' && item !== undefined) pairs.push([key.bytes.toString(), item]);
  };
  if (value?.type === 'map') for (const [key, item] of value.entries) add(key, item);
  if (value?.type === 'list') value.items.forEach((key, i) => i % 2 === 0 && add(key, value.items[i + 1]));
  return { hello: new Map(pairs) };
}
