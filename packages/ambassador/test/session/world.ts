/**
 * A simulated world around one session: a primary, replicas that follow it at their own pace, connections that deliver
 * and fail when chance says so, and the poller's rounds. Everything that happens is one of a few steps, drawn from a
 * seed; what a step shows the session is checked at once against what the session may see.
 */

import type { Random, Timer } from '@outrigger/core/clock';
import { Metrics } from '@outrigger/core/metrics';
import { decodeRequest, RequestEvent, RequestScanner } from '@outrigger/core/resp';
import { CommandTable } from '../../src/commands/commands.ts';
import { defaultLimits } from '../../src/daemon/limits.ts';
import { SessionCounters } from '../../src/observe/metrics.ts';
import type { Role, SessionPorts } from '../../src/session/ports.ts';
import { Session } from '../../src/session/session.ts';
import { Topology } from '../../src/topology/topology.ts';
import type { Replica } from '../../src/topology/topology.ts';
import { command } from './setting.ts';

interface Write {
  readonly key: string;
  /** Unique in the world, and `own:N` for the session's N-th command. */
  readonly value: string;
}

interface Process {
  readonly name: string;
  runId: string;
  /** How much of the log it has applied. */
  applied: number;
}

interface Connection {
  readonly role: Role;
  readonly process: Process;
  readonly runId: string;
  /** Requests on their way, then answers on theirs. */
  readonly requests: Buffer[];
  answers: string;
  scanner: RequestScanner;
  open: boolean;
}

interface Asked {
  readonly args: readonly string[];
}

export interface Character {
  readonly consistency: 'session' | 'eventual';
  readonly replicas: number;
  /** How often connections fail and replicas restart. */
  readonly trouble: number;
  /** How often others write, and how often a replica applies one of the writes. */
  readonly others: number;
  readonly pace: number;
  readonly writes: number;
  /** Commands the client sends before it waits for an answer. */
  readonly depth: number;
}

export class World implements SessionPorts {
  readonly problems: string[] = [];
  /** What the session's reads saw, by the process that answered. */
  readonly readsAt = new Map<string, number>();
  readonly #random: Random;
  readonly #character: Character;
  readonly #log: Write[] = [];
  readonly #primary: Process = { name: 'p', runId: 'p.1', applied: 0 };
  readonly #replicas: Process[];
  readonly #topology = new Topology(() => Number.POSITIVE_INFINITY);
  readonly #session: Session;
  readonly #connections: Partial<Record<Role, Connection>> = {};
  readonly #opening: { role: Role; process: Process }[] = [];
  readonly #polls: (() => void)[] = [];
  readonly #timers = new Set<{ at: number; fire: () => void }>();
  readonly #asked: Asked[] = [];
  readonly #answered: string[] = [];
  readonly #executed = new Map<string, number>();
  /** Key → position in the log of the newest value the session has seen or been told it wrote. */
  readonly #seen = new Map<string, number>();
  #reading = true;
  #over = false;
  #sent = 0;
  #unsent = '';
  #partial = '';
  #now = 0;
  #others = 0;
  #wantRound = false;
  #polling = false;

  constructor(random: Random, character: Character) {
    const { consistency, replicas } = character;
    this.#random = random;
    this.#character = character;
    this.#replicas = Array.from({ length: replicas }, (_, i) => ({
      name: `r${i}`,
      runId: `r${i}.1`,
      applied: 0,
    }));
    this.#topology.setServers('p', this.#replicas.map(({ name }) => name)); // prettier-ignore
    this.#session = new Session(this, {
      table: new CommandTable(),
      topology: this.#topology,
      limits: { ...defaultLimits, handoverAfterMs: 5, handoverIntervalMs: 5, maxPipelined: 5 },
      counters: new SessionCounters(new Metrics({ processMetrics: false })),
      policy: () => ({ readPolicy: 'preferReplica', consistency }),
      needRound: () => void (this.#wantRound = true),
    });
  }

  /** Runs the program to its end, or gives up and says so. */
  run(commands: number): void {
    for (let i = 0; i < commands; i++) this.#ask(i);
    for (let steps = 0; this.#answered.length < commands && !this.#over; steps++) {
      if (steps > 20_000) {
        this.problems.push(`stuck with ${this.#answered.length} of ${commands} answers`);
        return;
      }
      this.#step();
    }
    for (const [value, times] of this.#executed) {
      if (times > 1) this.problems.push(`${value} was executed ${times} times`);
    }
  }

  // ---- what the session does

  toClient(bytes: Uint8Array): void {
    this.#partial += Buffer.from(bytes).toString('latin1');
    for (;;) {
      const whole = /^(?:\$-1\r\n|\$\d+\r\n[^\r]*\r\n|[+-:][^\r]*\r\n)/.exec(this.#partial)?.[0];
      if (whole === undefined) return;
      this.#partial = this.#partial.slice(whole.length);
      this.#check(whole);
    }
  }

  toServer(role: Role, bytes: Uint8Array): boolean {
    this.#connections[role]?.requests.push(Buffer.from(bytes));
    return true;
  }

  open(role: Role, replica?: Replica): void {
    const process =
      role === 'primary' ? this.#primary : this.#replicas.find(({ name }) => name === replica?.name);
    this.#opening.push({ role, process: process as Process });
  }

  close(role: Role): void {
    delete this.#connections[role];
    const i = this.#opening.findIndex((opening) => opening.role === role);
    if (i >= 0) this.#opening.splice(i, 1);
  }

  readClient(on: boolean): void {
    this.#reading = on;
  }

  splice(): void {
    this.problems.push('spliced without reason');
    this.#over = true;
  }

  finish(): void {
    this.problems.push('finished without reason');
    this.#over = true;
  }

  /** Half an answer and then a loss: the client sees its connection end, which is honest. */
  abort(): void {
    this.#over = true;
  }

  waiting(): void {}

  wakeAfter(delayMs: number): Timer {
    const timer = { at: this.#now + delayMs, fire: () => this.#session.onWake() };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  now(): number {
    return this.#now;
  }

  // ---- what happens

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  #ask(number: number): void {
    const key = `k${this.#below(2)}`;
    const args = this.#random.next() < this.#character.writes ? ['SET', key, `own:${number}`] : ['GET', key];
    this.#asked.push({ args });
  }

  #step(): void {
    this.#now += this.#random.next();
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.fire();
    }
    if (this.#random.next() < this.#character.trouble) {
      this.#makeTrouble();
      return;
    }
    if (this.#random.next() < this.#character.others) this.#otherWrites();
    if (this.#random.next() < this.#character.pace) this.#replicate();
    const steps = [
      () => this.#clientSends(),
      () => this.#opened(),
      () => this.#execute('primary'),
      () => this.#execute('replica'),
      () => this.#answer('primary'),
      () => this.#answer('replica'),
      () => this.#poll(),
      () => this.#poll(),
    ];
    steps[this.#below(steps.length)]?.();
  }

  #clientSends(): void {
    const next = this.#asked[this.#sent];
    if (next !== undefined && this.#sent < this.#answered.length + this.#character.depth) {
      this.#unsent += command(...next.args);
      this.#sent++;
    }
    if (!this.#reading || this.#unsent === '') return;
    const size = 1 + this.#below(80);
    const piece = this.#unsent.slice(0, size);
    this.#unsent = this.#unsent.slice(size);
    this.#session.onClientData(Buffer.from(piece));
  }

  #opened(): void {
    const opening = this.#opening.splice(this.#below(this.#opening.length), 1)[0];
    if (opening === undefined) return;
    const { role, process } = opening;
    const { runId } = process;
    this.#connections[role] = {
      role,
      process,
      runId,
      requests: [],
      answers: '',
      scanner: new RequestScanner(),
      open: true,
    };
    this.#session.onServerOpen(role, runId);
  }

  /** The server takes one request from its connection and executes it. */
  #execute(role: Role): void {
    const connection = this.#connections[role];
    if (connection === undefined || connection.requests.length === 0) return;
    const bytes = Buffer.concat(connection.requests.splice(0));
    const scanner = new RequestScanner();
    let event = scanner.next(bytes, 0);
    if (event === RequestEvent.head) event = scanner.next(bytes, scanner.offset);
    if (event !== RequestEvent.end) {
      connection.requests.push(bytes);
      return;
    }
    connection.requests.push(bytes.subarray(scanner.offset));
    const args = decodeRequest(bytes.subarray(0, scanner.offset)).map(String);
    connection.answers += this.#result(connection.process, args);
  }

  #result(process: Process, args: readonly string[]): string {
    const [name, key = '', value = ''] = args;
    if (name === 'GET') {
      this.readsAt.set(process.name, (this.readsAt.get(process.name) ?? 0) + 1);
      const found = this.#log.slice(0, process.applied).findLast((write) => write.key === key);
      return found === undefined ? '$-1\r\n' : `$${found.value.length}\r\n${found.value}\r\n`;
    }
    if (process !== this.#primary) this.problems.push('a write reached a replica');
    this.#executed.set(value, (this.#executed.get(value) ?? 0) + 1);
    this.#append({ key, value });
    return '+OK\r\n';
  }

  #append(write: Write): void {
    this.#log.push(write);
    this.#primary.applied = this.#log.length;
  }

  #answer(role: Role): void {
    const connection = this.#connections[role];
    if (connection === undefined || connection.answers === '') return;
    const size = 1 + this.#below(connection.answers.length);
    const piece = connection.answers.slice(0, size);
    connection.answers = connection.answers.slice(size);
    this.#session.onServerData(role, Buffer.from(piece));
  }

  #replicate(): void {
    const replica = this.#replicas[this.#below(this.#replicas.length)];
    if (replica !== undefined && replica.applied < this.#log.length) replica.applied += 1;
  }

  /** One step of the poller's: a question is asked, answered by the server, or its answer is heard. */
  #poll(): void {
    const next = this.#polls.shift();
    if (next !== undefined) {
      next();
      return;
    }
    if (this.#polling || (!this.#wantRound && this.#random.next() < 0.9)) return;
    this.#polling = true;
    this.#wantRound = false;
    const round = this.#topology.beginRound();
    const sentAt = this.#now;
    this.#polls.push(() => {
      const sample = this.#sample(this.#primary);
      this.#polls.push(() => {
        this.#topology.primaryAnswered(round, sentAt, sample);
        this.#askReplicas();
      });
    });
  }

  #askReplicas(): void {
    this.#polling = false;
    for (const replica of this.#replicas) {
      this.#polls.push(() => {
        const sample = this.#sample(replica);
        this.#polls.push(() => {
          this.#topology.replicaAnswered(replica.name, sample, this.#now);
          this.#session.onTopology();
        });
      });
    }
  }

  #sample(process: Process) {
    const role = process === this.#primary ? ('master' as const) : ('slave' as const);
    return { runId: process.runId, role, replId: 'history', offset: process.applied, syncing: false };
  }

  #makeTrouble(): void {
    const kind = this.#below(4);
    if (kind === 0) this.#lose('primary');
    else if (kind === 1) this.#lose('replica');
    else if (kind === 2) this.#restartReplica();
    else this.#failOpening();
  }

  #otherWrites(): void {
    this.#append({ key: `k${this.#below(2)}`, value: `other:${this.#others++}` });
  }

  #lose(role: Role): void {
    const connection = this.#connections[role];
    if (connection === undefined) return;
    delete this.#connections[role];
    // What had reached the server may still be executed.
    if (this.#random.next() < 0.5) {
      this.#connections[role] = connection;
      this.#execute(role);
      delete this.#connections[role];
    }
    this.#session.onServerLost(role, 'ECONNRESET');
  }

  /** It comes back with an older state: what its last snapshot held. */
  #restartReplica(): void {
    const replica = this.#replicas[this.#below(this.#replicas.length)];
    if (replica === undefined) return;
    replica.applied = this.#below(replica.applied + 1);
    replica.runId = `${replica.name}.${Math.floor(this.#now * 1000)}`;
    if (this.#connections.replica?.process === replica) this.#lose('replica');
  }

  #failOpening(): void {
    const opening = this.#opening.shift();
    if (opening !== undefined) this.#session.onServerLost(opening.role, 'ECONNREFUSED');
  }

  // ---- what the session may see

  #check(answer: string): void {
    const number = this.#answered.length;
    const asked = this.#asked[number];
    this.#answered.push(answer);
    if (asked === undefined) {
      this.problems.push(`an answer nobody asked for: ${JSON.stringify(answer)}`);
      return;
    }
    const [name, key = '', value = ''] = asked.args;
    // Promised is what was acknowledged, not what failed.
    if (answer.startsWith('-ERR outrigger')) return;
    if (name === 'SET') {
      if (answer !== '+OK\r\n')
        this.problems.push(`#${number} ${asked.args.join(' ')} got ${JSON.stringify(answer)}`);
      this.#see(key, this.#log.findLastIndex((write) => write.value === value)); // prettier-ignore
      return;
    }
    this.#checkRead(number, key, answer);
  }

  #checkRead(number: number, key: string, answer: string): void {
    const got = answer === '$-1\r\n' ? '' : (answer.split('\r\n')[1] ?? '');
    const at = got === '' ? -1 : this.#log.findIndex((write) => write.value === got);
    const written = this.#log[at];
    const where = `#${number} GET ${key} got ${JSON.stringify(got)}`;
    if (got !== '' && written?.key !== key) this.problems.push(`${where}: the answer of another command`);
    const own = /^own:(\d+)$/.exec(got)?.[1];
    if (own !== undefined && Number(own) > number)
      this.problems.push(`${where}: a write behind it took effect first`);
    if (this.#character.consistency === 'eventual') return;
    const seen = this.#seen.get(key) ?? -1;
    if (at < seen) this.problems.push(`${where}: older than ${this.#log[seen]?.value}, which it has seen`);
    this.#see(key, at);
  }

  #see(key: string, at: number): void {
    this.#seen.set(key, Math.max(at, this.#seen.get(key) ?? -1));
  }
}
