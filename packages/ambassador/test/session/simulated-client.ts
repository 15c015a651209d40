/** A client of the simulation: what it asks, and what it may be answered. */

import { newSession } from '../../src/daemon/new-session.ts';
import type { Random, Timer } from '@outrigger/core/clock';
import { ReplyScanner, ReplyEvent } from '@outrigger/core/resp';
import type { SessionPorts } from '../../src/session/ports.ts';
import type { Session } from '../../src/session/session.ts';
import type { SessionState } from '../../src/session/state.ts';
import { command } from './setting.ts';
import { sha } from './simulated-redis.ts';
import type { Effect } from './simulated-redis.ts';

/** What a client needs to know of its world, and tells it. */
export interface ClientWorld {
  readonly consistent: boolean;
  problem(text: string): void;
  /** Effects by value. */
  effect(value: string): Effect | undefined;
  executed(value: string): number;
  /** Where an effect stands in the history that counts now; −1: nowhere. */
  place(effect: Effect | undefined): number;
  after(delayMs: number, call: () => void): Timer;
  now(): number;
  watch(client: SimulatedClient, on: boolean): void;
  /** A connection was lost with half an answer. */
  readonly halfAnswer: boolean;
}

interface Asked {
  readonly args: readonly string[];
  /** CLIENT REPLY SKIP, and what it silences. */
  readonly silent: boolean;
}

const outcomeUnknown = '-OUTRIGGER write outcome unknown';
const rejected =
  /^-(?:READONLY|LOADING|MASTERDOWN|NOSCRIPT|OUTRIGGER no primary|OUTRIGGER no answer|EXECABORT)/;

export class SimulatedClient implements SessionPorts {
  readonly id: number;
  session!: Session;
  backlog = 0;
  /** The session ended, and the client has not come back yet. */
  over = false;
  /** Writes whose answer says that they were not executed. */
  readonly refused = new Set<string>();
  readonly #world: ClientWorld;
  readonly #random: Random;
  #left: number;
  #sessions = 0;
  #number = 0;
  #unsent = '';
  #reading = true;
  #asked: Asked[] = [];
  #scanner = new ReplyScanner();
  #partial = '';
  #db = 0;
  #transaction: 'none' | 'open' | 'broken' = 'none';
  #watching = false;
  #queued: (readonly string[])[] = [];
  /** Database and key → the newest it has been shown or told it wrote. */
  readonly #seen = new Map<string, Effect>();

  constructor(id: number, commands: number, random: Random, world: ClientWorld) {
    this.id = id;
    this.#left = commands;
    this.#random = random;
    this.#world = world;
  }

  get done(): boolean {
    return this.#left <= 0 && this.#unsent === '' && this.#unanswered === 0;
  }

  get waitsFor(): string {
    const [first] = this.#asked;
    return `${this.#asked.length} answers, the first of ${first?.args.join(' ')}, ${this.#unsent.length} bytes unsent`;
  }

  newState(): SessionState {
    const id = this.id * 1000 + ++this.#sessions;
    return newSession({ id, peer: '10.1.0.1:1', local: '10.1.0.2:6379' }, true, 0);
  }

  /** A new connection: nothing is owed, nothing remembered. */
  begin(session: Session): void {
    this.session = session;
    this.over = false;
    this.#unsent = '';
    this.#asked = [];
    this.#partial = '';
    this.#scanner = new ReplyScanner();
    this.#reading = true;
    this.#db = 0;
    this.#transaction = 'none';
    this.#watching = false;
    this.#queued = [];
    this.#seen.clear();
  }

  /** Thinks of commands while fewer than `depth` are unanswered, and sends some bytes. */
  send(depth: number): void {
    while (this.#left > 0 && this.#unanswered < depth) this.#think();
    if (!this.#reading || this.#unsent === '') return;
    const size = 1 + this.#below(this.#random.next() < 0.5 ? 60 : 2_000);
    const piece = this.#unsent.slice(0, size);
    this.#unsent = this.#unsent.slice(size);
    this.session.onClientData(Buffer.from(piece));
  }

  /** It goes away without a word. */
  leave(): void {
    this.over = true;
    this.session.end();
  }

  // ---- SessionPorts

  toClient(bytes: Uint8Array): void {
    if (this.over) this.#world.problem(`client ${this.id} got bytes after its end`);
    let from = 0;
    while (this.#scanner.next(bytes, from) !== ReplyEvent.more) {
      const whole =
        this.#partial + Buffer.from(bytes.subarray(from, this.#scanner.offset)).toString('latin1');
      this.#partial = '';
      from = this.#scanner.offset;
      this.#check(whole);
    }
    this.#partial += Buffer.from(bytes.subarray(from)).toString('latin1');
  }

  readClient(on: boolean): void {
    this.#reading = on;
  }

  finish(): void {
    const why = this.#transaction !== 'none' || this.#watching || this.#asked.some(({ args }) => /MULTI|WATCH/.test(args[0] ?? '')); // prettier-ignore
    if (!why) this.#world.problem(`client ${this.id} was closed without reason`);
    this.over = true;
  }

  abort(why: string): void {
    if (!this.#world.halfAnswer) this.#world.problem(`client ${this.id} was cut off: ${why}`);
    this.over = true;
  }

  wakeAfter(delayMs: number): Timer {
    const { session } = this;
    return this.#world.after(delayMs, () => session.onWake());
  }

  watchRealm(on: boolean): void {
    this.#world.watch(this, on);
  }

  now(): number {
    return this.#world.now();
  }

  get #unanswered(): number {
    return this.#asked.filter(({ silent }) => !silent).length;
  }

  // ---- what it asks

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  #ask(silent: boolean, ...args: string[]): void {
    this.#asked.push({ args, silent });
    this.#unsent += command(...args);
    this.#left--;
  }

  /** A value that tells whose it is, and which command's. */
  #value(key: string): string {
    return `${key}|${this.id}.${this.#sessions}.${++this.#number}`;
  }

  #think(): void {
    const key = `k${this.#below(3)}`;
    const chance = this.#random.next();
    if (chance < 0.4) this.#ask(false, 'GET', key);
    else if (chance < 0.62) this.#ask(false, 'SET', key, this.#value(key));
    else if (chance < 0.7) this.#ask(false, 'ECHO', this.#value('echo'));
    else if (chance < 0.78) this.#ask(false, 'EVALSHA', sha, '1', key, this.#value(key));
    else if (chance < 0.82) this.#ask(false, 'SELECT', String(this.#below(2)));
    else if (chance < 0.86) this.#ask(false, 'RPUSH', 'list', this.#value('list'));
    else if (chance < 0.89) this.#ask(false, 'BLPOP', 'list', '0');
    else if (chance < 0.93) {
      this.#ask(true, 'CLIENT', 'REPLY', 'SKIP');
      this.#ask(true, 'SET', key, this.#value(key));
    } else this.#thinkTransaction(key);
  }

  #thinkTransaction(key: string): void {
    if (this.#random.next() < 0.5) this.#ask(false, 'WATCH', key);
    this.#ask(false, 'MULTI');
    this.#ask(false, 'SET', key, this.#value(key));
    if (this.#random.next() < 0.5) this.#ask(false, 'GET', key);
    this.#ask(false, 'EXEC');
  }

  // ---- what it may be answered

  #check(answer: string): void {
    // Silenced commands are passed over; they are unanswered until something behind them is answered.
    while (this.#asked[0]?.silent === true) this.#asked.shift();
    const asked = this.#asked.shift();
    while (this.#asked.length > 0 && this.#asked.every(({ silent }) => silent)) this.#asked.length = 0;
    if (asked === undefined) {
      this.#world.problem(`client ${this.id}: an answer nobody asked for: ${JSON.stringify(answer)}`);
      return;
    }
    const { args } = asked;
    const [name] = args;
    if (name === 'MULTI') this.#began(answer);
    else if (name === 'EXEC') this.#executed(answer);
    else if (answer.startsWith('-')) this.#failed(args, answer);
    else if (this.#transaction === 'open') this.#isQueued(args, answer);
    else this.#answered(args, answer);
  }

  #wrong(args: readonly string[], answer: string, why = 'the answer of another command'): void {
    this.#world.problem(`client ${this.id}: ${args.join(' ')} got ${JSON.stringify(answer)}: ${why}`);
  }

  #began(answer: string): void {
    this.#transaction = answer === '+OK\r\n' ? 'open' : 'broken';
    this.#queued = [];
    if (answer !== '+OK\r\n' && !answer.startsWith('-')) this.#wrong(['MULTI'], answer);
  }

  #isQueued(args: readonly string[], answer: string): void {
    if (answer !== '+QUEUED\r\n') this.#wrong(args, answer, 'it is in a transaction');
    this.#queued.push(args);
  }

  #executed(answer: string): void {
    const queued = this.#queued;
    const watched = this.#watching;
    const broken = this.#transaction !== 'open';
    this.#transaction = 'none';
    this.#watching &&= answer.startsWith('-ERR EXEC without');
    this.#queued = [];
    if (answer.startsWith('-')) {
      for (const args of queued) this.#failed(args, answer);
      return;
    }
    if (answer === '*-1\r\n' && watched) {
      for (const args of queued) this.#isRefused(args);
      return;
    }
    const head = `*${queued.length}\r\n`;
    if (broken || !answer.startsWith(head)) {
      this.#wrong(['EXEC'], answer);
      return;
    }
    const parts = answer.slice(head.length).match(/\$-1\r\n|\$\d+\r\n[^\r]*\r\n|[+:-][^\r]*\r\n/g) ?? [];
    for (const [i, args] of queued.entries()) this.#answered(args, parts[i] ?? '');
  }

  #failed(args: readonly string[], answer: string): void {
    if (answer.startsWith(outcomeUnknown)) return;
    if (!rejected.test(answer) && !answer.startsWith('-ERR EXEC without')) this.#wrong(args, answer);
    this.#isRefused(args);
  }

  #isRefused(args: readonly string[]): void {
    const value = valueOf(args);
    if (value !== undefined) this.refused.add(value);
  }

  #answered(args: readonly string[], answer: string): void {
    const [name, key = ''] = args;
    const value = valueOf(args);
    if (value !== undefined) {
      if (answer !== (name === 'RPUSH' ? ':1\r\n' : '+OK\r\n')) this.#wrong(args, answer);
      this.#acknowledged(args, value);
    } else if (name === 'ECHO') {
      if (answer !== `$${key.length}\r\n${key}\r\n`) this.#wrong(args, answer);
    } else if (name === 'SELECT' || name === 'WATCH') {
      if (answer !== '+OK\r\n') this.#wrong(args, answer);
      if (name === 'SELECT') this.#db = Number(key);
      else this.#watching = true;
    } else if (name === 'BLPOP') {
      if (!answer.startsWith('*2\r\n$4\r\nlist\r\n') || !answer.includes('\r\nlist|'))
        this.#wrong(args, answer);
    } else this.#read(key, answer);
  }

  #acknowledged(args: readonly string[], value: string): void {
    const effect = this.#world.effect(value);
    if (effect === undefined || this.#world.executed(value) !== 1) {
      this.#wrong(args, 'acknowledged', `executed ${this.#world.executed(value)} times`);
    } else if (effect.db !== this.#db) this.#wrong(args, 'acknowledged', `executed in database ${effect.db}`);
    else if (effect.kind === 'set') this.#see(effect.key, effect);
  }

  #read(key: string, answer: string): void {
    const [, text] = /^\$\d+\r\n([^\r]*)\r\n$/.exec(answer) ?? [];
    if (text === undefined && answer !== '$-1\r\n') return this.#wrong(['GET', key], answer);
    const value = text?.replace('!', '');
    const effect = value === undefined ? undefined : this.#world.effect(value);
    if (value !== undefined && (effect?.key !== key || effect.db !== this.#db))
      this.#wrong(['GET', key], answer);
    const own = new RegExp(`\\|${this.id}\\.${this.#sessions}\\.(\\d+)$`).exec(value ?? '')?.[1];
    const next = this.#asked
      .map(({ args }) => valueOf(args)?.split('.').at(-1))
      .find((one) => one !== undefined);
    if (own !== undefined && next !== undefined && Number(own) >= Number(next)) {
      this.#wrong(['GET', key], answer, 'a write behind it took effect first');
    }
    if (!this.#world.consistent || text?.endsWith('!') === true) return;
    const seen = this.#seen.get(`${this.#db} ${key}`);
    const must = this.#world.place(seen);
    const is = this.#world.place(effect);
    // What is in no history that counts was lost by a failover, and so may be what came after it.
    if (must >= 0 && is < must && (effect === undefined || is >= 0)) {
      this.#wrong(['GET', key], answer, `older than ${seen?.value}, which it has seen`);
    }
    if (effect !== undefined) this.#see(key, effect);
  }

  #see(key: string, effect: Effect): void {
    this.#seen.set(`${this.#db} ${key}`, effect);
  }
}

/** What a write writes. */
export function valueOf(args: readonly string[]): string | undefined {
  const [name] = args;
  if (name === 'SET' || name === 'RPUSH') return args[2];
  return name === 'EVALSHA' ? args[4] : undefined;
}
