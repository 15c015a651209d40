/** A client of the simulation: what it asks, and what it may be answered. */

import { newSession } from '../../src/daemon/new-session.ts';
import type { Random, Timer } from '@outrigger/core/clock';
import { ReplyScanner, ReplyEvent } from '@outrigger/core/resp';
import type { SessionPorts } from '../../src/session/ports.ts';
import type { Session } from '../../src/session/session.ts';
import type { SessionState } from '../../src/session/state.ts';
import { command } from './setting.ts';
import { nothing, sha } from './simulated-redis.ts';
import type { Effect } from './simulated-redis.ts';

/** What a client needs to know of its world, and tells it. */
export interface ClientWorld {
  readonly consistent: boolean;
  readonly shape: 'replicas' | 'cluster' | 'routes';
  problem(text: string): void;
  /** Effects by value. */
  effect(value: string): Effect | undefined;
  executed(value: string): number;
  /** Whether as many replicas as were asked for have had it. */
  wasReplicated(value: string): boolean;
  /** Where an effect stands in the history that counts now; −1: nowhere. */
  place(effect: Effect | undefined): number;
  after(delayMs: number, call: () => void): Timer;
  now(): number;
  watch(client: SimulatedClient, on: boolean): void;
  /** A connection was lost with half an answer. */
  readonly halfAnswer: boolean;
  /** The memory of what servers have sent. */
  readonly received: WeakSet<ArrayBufferLike>;
}

interface Asked {
  readonly args: readonly string[];
  /** CLIENT REPLY SKIP, and what it silences. */
  readonly silent: boolean;
  /** Where it ends in all that the client has written. */
  readonly endsAt: number;
}

const outcomeUnknown = '-OUTRIGGER write outcome unknown';
const notAcknowledged = '-OUTRIGGER write not acknowledged';
const rejected =
  /^-(?:READONLY|NOPERM|LOADING|MASTERDOWN|NOSCRIPT|OUTRIGGER no primary|OUTRIGGER no answer|OUTRIGGER not sent|EXECABORT|ERR Can't execute)/;
const redirected = /^-(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN|CROSSSLOT)/;
const message = /^[*>]3\r\n\$7\r\nmessage\r\n\$2\r\n(c\d)\r\n\$\d+\r\n(\d+)\.(\d+)\r\n$/;

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
  #protocol = 2;
  /** Of what it will have asked for by then. */
  #subscribing: string | undefined;
  #thoughtProtocol = 2;
  readonly #subscribed = new Set<string>();
  /** It may be joined to a connection of its own. */
  #joined = false;
  #lastMessage: readonly [peer: string, number: number] = ['', 0];
  messages = 0;
  readonly acknowledged = { yes: 0, no: 0 };
  /** What it has sent when draining began. */
  #drainedAt: number | undefined;
  #written = 0;
  /** The memory of what it has sent. */
  readonly #sent = new WeakSet<ArrayBufferLike>();
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
    this.#protocol = this.#thoughtProtocol = 2;
    this.#subscribing = undefined;
    this.#subscribed.clear();
    this.#joined = false;
    this.#lastMessage = ['', 0];
    this.#drainedAt = undefined;
    this.#written = 0;
    this.#transaction = 'none';
    this.#watching = false;
    this.#queued = [];
    this.#seen.clear();
    if (this.#random.next() < 0.5) this.#hello('3');
  }

  /** Thinks of commands while fewer than `depth` are unanswered, and sends some bytes. */
  send(depth: number): void {
    while (this.#left > 0 && this.#unanswered < depth) this.#think();
    if (this.#left <= 0 && this.#subscribing !== undefined) this.#unsubscribe();
    if (!this.#reading || this.#unsent === '') return;
    const size = 1 + this.#below(this.#random.next() < 0.5 ? 60 : 2_000);
    const piece = this.#unsent.slice(0, size);
    this.#unsent = this.#unsent.slice(size);
    const chunk = Buffer.allocUnsafeSlow(piece.length);
    chunk.write(piece, 'latin1');
    this.#sent.add(chunk.buffer);
    this.session.onClientData(chunk);
  }

  /** It goes away without a word. */
  leave(): void {
    this.over = true;
    this.session.end();
  }

  /** The ambassador ends: what it has received is answered first. */
  drain(): void {
    if (this.over || this.#drainedAt !== undefined) return;
    this.#drainedAt = this.#written - this.#unsent.length;
    this.session.drain();
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
    // What the client has is read into again.
    if (this.#world.received.has(bytes.buffer)) bytes.fill(0x2a);
  }

  /** Overwritten at once, as a buffer that is read into again would be. */
  released(bytes: Uint8Array): void {
    if (this.#sent.has(bytes.buffer)) bytes.fill(0x2a);
  }

  readClient(on: boolean): void {
    this.#reading = on;
  }

  finish(): void {
    const why = this.#transaction !== 'none' || this.#watching || this.#asked.some(({ args }) => /MULTI|WATCH|SUBSCRIBE/.test(args[0] ?? '')); // prettier-ignore
    if (!why && !this.#joined) this.#closed();
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
    const bytes = command(...args);
    this.#written += bytes.length;
    this.#asked.push({ args, silent, endsAt: this.#written });
    this.#unsent += bytes;
    this.#left--;
  }

  #hello(protocol: '2' | '3'): void {
    this.#thoughtProtocol = Number(protocol);
    this.#ask(false, 'HELLO', protocol);
  }

  #unsubscribe(): void {
    this.#ask(false, 'UNSUBSCRIBE', this.#subscribing as string);
    this.#subscribing = undefined;
  }

  /** A value that tells whose it is, and which command's. */
  #value(key: string): string {
    return `${key}|${this.id}.${this.#sessions}.${++this.#number}`;
  }

  #key(): string {
    const all = this.#world.shape === 'replicas' ? 3 : 5;
    return ['k0', 'k1', 'k2', '{k0}a', '{k0}b'][this.#below(all)] as string;
  }

  #think(): void {
    const key = this.#key();
    const chance = this.#random.next();
    if (this.#subscribing !== undefined) this.#thinkSubscribed(key, chance);
    else if (chance < 0.34) this.#ask(false, 'GET', key);
    else if (chance < 0.54) this.#ask(false, 'SET', key, this.#value(key));
    else if (chance < 0.6) this.#ask(false, 'ECHO', this.#value('echo'));
    else if (chance < 0.68) this.#ask(false, 'EVALSHA', sha, '1', key, this.#value(key));
    else if (chance < 0.72) this.#thinkMany();
    else if (chance < 0.74) this.#hello(this.#random.next() < 0.5 ? '2' : '3');
    else if (chance < 0.78) this.#thinkSubscription();
    else if (chance < 0.82 && this.#world.shape !== 'cluster')
      this.#ask(false, 'SELECT', String(this.#below(2)));
    else if (chance < 0.86) this.#ask(false, 'RPUSH', 'list', this.#value('list'));
    else if (chance < 0.89) this.#ask(false, 'BLPOP', 'list', '0');
    else if (chance < 0.93) {
      this.#ask(true, 'CLIENT', 'REPLY', 'SKIP');
      this.#ask(true, 'SET', key, this.#value(key));
    } else this.#thinkTransaction(key);
  }

  /** Commands over several keys. */
  #thinkMany(): void {
    const chance = this.#random.next();
    const several = [...new Set([this.#key(), this.#key(), this.#key()])];
    if (chance < 0.4) this.#ask(false, 'MGET', ...several);
    else if (chance < 0.6) this.#ask(false, 'DEL', 'x0', 'x1', 'x2');
    else {
      const number = ++this.#number;
      const pairs = several.flatMap((key) => [key, `${key}|${this.id}.${this.#sessions}.${number}`]);
      this.#ask(false, 'MSET', ...pairs);
    }
  }

  #thinkSubscription(): void {
    this.#subscribing = `c${this.#below(2)}`;
    this.#ask(false, 'SUBSCRIBE', this.#subscribing);
  }

  /** With RESP2 a subscriber may not ask much; a cluster's client is not led to another server meanwhile. */
  #thinkSubscribed(key: string, chance: number): void {
    const { shape } = this.#world;
    if (chance < 0.3) this.#unsubscribe();
    else if (this.#thoughtProtocol === 2 || chance < 0.5) this.#ask(false, 'PING');
    else if (chance < 0.6 || shape === 'cluster') this.#ask(false, 'ECHO', this.#value('echo'));
    else if (chance < 0.8) this.#ask(false, 'GET', key);
    else this.#ask(false, 'SET', key, this.#value(key));
  }

  #thinkTransaction(key: string): void {
    if (this.#random.next() < 0.5) this.#ask(false, 'WATCH', key);
    this.#ask(false, 'MULTI');
    this.#ask(false, 'SET', key, this.#value(key));
    if (this.#random.next() < 0.5) this.#ask(false, 'GET', key);
    this.#ask(false, 'EXEC');
  }

  // ---- what it may be answered

  /** Only draining closes a client that has left nothing in a connection; but what was whole by then is answered first. */
  #closed(): void {
    if (this.#drainedAt === undefined) this.#world.problem(`client ${this.id} was closed without reason`);
    const owed = this.#asked.filter(({ silent, endsAt }) => !silent && endsAt <= (this.#drainedAt ?? 0));
    const [first] = owed;
    // That may wait for ever.
    const blocks = owed.some(({ args }) => args[0] === 'BLPOP');
    if (first !== undefined && !blocks)
      this.#world.problem(
        `client ${this.id} was closed by draining before ${first.args.join(' ')} was answered`,
      );
  }

  #isMessage(answer: string): boolean {
    const [, channel = '', peer = '', number] = message.exec(answer) ?? [];
    if (number === undefined) return false;
    this.messages++;
    const [lastPeer, last] = this.#lastMessage;
    const type = this.#protocol === 3 ? '>' : '*';
    if (!this.#subscribed.has(channel) || !answer.startsWith(type))
      this.#wrong(['SUBSCRIBE', channel], answer, 'a message for another client');
    if (Number(number) !== (lastPeer === peer ? last + 1 : 1))
      this.#wrong(['SUBSCRIBE', channel], answer, `a message is missing behind ${lastPeer}.${last}`);
    this.#lastMessage = [peer, Number(number)];
    return true;
  }

  #check(answer: string): void {
    if (this.#isMessage(answer)) return;
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
    else if (name === 'HELLO') this.#greeted(args, answer);
    else if (name === 'SUBSCRIBE' || name === 'UNSUBSCRIBE') this.#isSubscribed(args, answer);
    else this.#answered(args, answer);
    const plain = this.#subscribed.size === 0 && name !== 'SUBSCRIBE' && name !== 'UNSUBSCRIBE';
    if (plain) this.#joined = false;
  }

  #greeted(args: readonly string[], answer: string): void {
    const [, protocol] = args;
    const head = protocol === '3' ? '%' : '*';
    if (!answer.startsWith(head) || !answer.includes(`$5\r\nproto\r\n:${protocol}\r\n`))
      this.#wrong(args, answer);
    this.#protocol = Number(protocol);
  }

  #isSubscribed(args: readonly string[], answer: string): void {
    const [name = '', channel = ''] = args;
    this.#joined = true;
    if (name === 'SUBSCRIBE') {
      this.#subscribed.add(channel);
      this.#lastMessage = ['', 0];
    } else this.#subscribed.delete(channel);
    const type = this.#protocol === 3 ? '>' : '*';
    const right = `${type}3\r\n$${name.length}\r\n${name.toLowerCase()}\r\n$2\r\n${channel}\r\n:${this.#subscribed.size}\r\n`;
    if (answer !== right) this.#wrong(args, answer);
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
    this.#watching &&= answer.startsWith('-ERR EXEC without') || answer.startsWith(outcomeUnknown);
    this.#queued = [];
    if (answer.startsWith('-')) {
      for (const args of queued) this.#failed(args, answer);
      return;
    }
    if (answer === nothing(this.#protocol, true) && watched) {
      for (const args of queued) this.#isRefused(args);
      return;
    }
    const head = `*${queued.length}\r\n`;
    if (broken || !answer.startsWith(head)) {
      this.#wrong(['EXEC'], answer);
      return;
    }
    const parts =
      answer.slice(head.length).match(/_\r\n|\$-1\r\n|\$\d+\r\n[^\r]*\r\n|[+:-][^\r]*\r\n/g) ?? [];
    for (const [i, args] of queued.entries()) this.#answered(args, parts[i] ?? '');
  }

  #failed(args: readonly string[], answer: string): void {
    // It keeps its connection for having been sent.
    this.#watching ||= args[0] === 'WATCH';
    // Part of it may have been executed.
    if (answer.startsWith(outcomeUnknown) || (args[0] === 'MSET' && this.#world.shape === 'cluster')) return;
    if (answer.startsWith(notAcknowledged)) {
      const values = valuesOf(args);
      if (values.length === 0 && args[0] === 'SET') this.#wrong(args, answer);
      for (const value of values) this.#acknowledged(args, value, false);
      return;
    }
    const split = answer.startsWith('-CROSSSLOT') && !this.#watching;
    const elsewhere = this.#world.shape === 'cluster' && redirected.test(answer) && !split;
    if (!rejected.test(answer) && !elsewhere && !answer.startsWith('-ERR EXEC without'))
      this.#wrong(args, answer);
    this.#isRefused(args);
  }

  #isRefused(args: readonly string[]): void {
    for (const value of valuesOf(args)) this.refused.add(value);
  }

  #answered(args: readonly string[], answer: string): void {
    const [name, key = ''] = args;
    const values = valuesOf(args);
    if (values.length > 0) {
      if (answer !== (name === 'RPUSH' ? ':1\r\n' : '+OK\r\n')) this.#wrong(args, answer);
      for (const value of values) this.#acknowledged(args, value);
    } else if (name === 'DEL' || name === 'PING') {
      if (answer !== (name === 'DEL' ? ':0\r\n' : this.#pong())) this.#wrong(args, answer);
    } else if (name === 'MGET') this.#readMany(args, answer);
    else if (name === 'ECHO') {
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

  #pong(): string {
    return this.#protocol === 2 && this.#subscribed.size > 0 ? '*2\r\n$4\r\npong\r\n$0\r\n\r\n' : '+PONG\r\n';
  }

  #readMany(args: readonly string[], answer: string): void {
    const [, ...several] = args;
    const parts = answer.match(/_\r\n|\$-1\r\n|\$\d+\r\n[^\r]*\r\n/g) ?? [];
    if (`*${several.length}\r\n${parts.join('')}` !== answer) this.#wrong(args, answer);
    for (const [i, key] of several.entries()) this.#read(key, parts[i] ?? '');
  }

  #acknowledged(args: readonly string[], value: string, replicated = true): void {
    this.acknowledged[replicated ? 'yes' : 'no']++;
    // What passes as it comes is not waited for.
    if (replicated && !this.#joined && !this.#world.wasReplicated(value))
      this.#wrong(args, 'acknowledged', 'too few have it');
    const effect = this.#world.effect(value);
    if (effect === undefined || this.#world.executed(value) !== 1) {
      this.#wrong(args, 'acknowledged', `executed ${this.#world.executed(value)} times`);
    } else if (effect.db !== this.#db) this.#wrong(args, 'acknowledged', `executed in database ${effect.db}`);
    else if (effect.kind === 'set') this.#see(effect.key, effect);
  }

  #read(key: string, answer: string): void {
    const [, text] = /^\$\d+\r\n([^\r]*)\r\n$/.exec(answer) ?? [];
    if (text === undefined && answer !== nothing(this.#protocol)) return this.#wrong(['GET', key], answer);
    const value = text?.replace('!', '');
    const effect = value === undefined ? undefined : this.#world.effect(value);
    if (value !== undefined && (effect?.key !== key || effect.db !== this.#db))
      this.#wrong(['GET', key], answer);
    const own = new RegExp(`\\|${this.id}\\.${this.#sessions}\\.(\\d+)$`).exec(value ?? '')?.[1];
    const next = this.#asked
      .map(({ args }) => valuesOf(args)[0]?.split('.').at(-1))
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
export function valuesOf(args: readonly string[]): readonly string[] {
  const [name, ...rest] = args;
  if (name === 'SET' || name === 'RPUSH') return rest.slice(1, 2);
  if (name === 'MSET') return rest.filter((_, i) => i % 2 === 1);
  return name === 'EVALSHA' ? rest.slice(3, 4) : [];
}
