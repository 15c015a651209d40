/** One session between a client and connections that a test opens, answers on and loses by hand. */

import { seededRandom } from '@outrigger/core/clock';
import type { Timer } from '@outrigger/core/clock';
import { silentLogger } from '@outrigger/core/log';
import { Metrics } from '@outrigger/core/metrics';
import { CommandTable } from '../../src/commands/table.ts';
import { defaultLimits } from '../../src/daemon/limits.ts';
import { newSession } from '../../src/daemon/new-session.ts';
import { ScriptBook } from '../../src/locals/scripts.ts';
import { EngineCounters } from '../../src/observe/counters.ts';
import { Budget } from '../../src/session/budget.ts';
import type { SessionContext, SessionPorts } from '../../src/session/ports.ts';
import { Session } from '../../src/session/session.ts';
import { Topology } from '../../src/topology/topology.ts';
import type { Doubt, Realm, Shard } from '../../src/topology/realm.ts';
import type { Line } from '../../src/upstream/line.ts';
import { serverAt } from '../../src/upstream/server.ts';
import type { Server } from '../../src/upstream/server.ts';
import { Servers } from '../../src/upstream/servers.ts';
import { FakeWire } from '../upstream/fake-wire.ts';
import { command } from './setting.ts';

/** A connection at one of the servers; `text` is all that was sent on it. */
export class HouseWire extends FakeWire {
  server = '';

  get text(): string {
    return this.written.join('').replaceAll('|', '');
  }
}

const table = new CommandTable();

export class House implements SessionPorts {
  readonly session: Session;
  readonly wires: HouseWire[] = [];
  readonly doubts: Doubt[] = [];
  readonly scripts = new ScriptBook();
  readonly metrics = new Metrics({ processMetrics: false });
  readonly counters: EngineCounters;
  /** What the client has got, and whether its connection was closed. */
  got = '';
  over: 'finished' | 'aborted' | undefined;
  backlog = 0;
  nowMs = 0;
  /** What rules say of a command; undefined: it may pass. */
  refusal: (name: string) => string | undefined = () => undefined;
  mayPassUnseen = true;
  writeAcks = { replicas: 0, timeoutMs: 10 };
  /** Primaries by number: the first has what no key decides. In a cluster slot `s` is at number `s % n`. */
  readonly servers: readonly Server[];
  readonly #soon = new Set<Line>();
  readonly #timers = new Set<{ readonly at: number }>();
  readonly #down = new Set<string>();
  #reading = true;

  constructor(primaries = 1, clustered = primaries > 1) {
    this.servers = Array.from({ length: primaries }, (_, i) =>
      serverAt({ kind: 'tcp', host: `10.0.0.${i + 1}`, port: 6379 }),
    );
    this.counters = new EngineCounters({ metrics: this.metrics, command: () => undefined });
    const state = newSession({ id: 7, peer: '10.1.0.1:1', local: '10.1.0.2:6379' }, true, 0);
    this.session = new Session(this, this.#context(clustered), state);
  }

  // ---- what a test does

  /** The client asks. */
  ask(...requests: string[][]): void {
    this.raw(requests.map((args) => command(...args)).join(''));
  }

  raw(bytes: string): void {
    this.session.onClientData(Buffer.from(bytes, 'latin1'));
    this.turn();
  }

  /** Opens what waits to be opened, and lets out what waits for the end of a turn, until nothing does. */
  turn(): void {
    for (let again = true; again;) {
      again = false;
      for (const wire of this.wires.filter((one) => !this.#opened.has(one))) {
        this.#opened.add(wire);
        wire.open();
        again = true;
      }
      for (const line of this.#soon) {
        this.#soon.delete(line);
        line.turnEnded();
        again = true;
      }
    }
  }

  /** Time goes by. */
  pass(ms: number): void {
    this.nowMs += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.nowMs) continue;
      this.#timers.delete(timer);
      this.session.onWake();
    }
    this.turn();
  }

  /** The connection answers. */
  answer(wire: HouseWire, text: string): void {
    wire.answer(text);
    this.turn();
  }

  lose(wire: HouseWire): void {
    wire.events.lost({ why: 'ECONNRESET', error: undefined });
    this.turn();
  }

  /** What has been sent on the connection since this was last asked. */
  sent(wire: HouseWire): string[][] {
    const words = wire.written
      .splice(0)
      .join('')
      .replaceAll('|', '')
      .split('\r\n')
      .filter((word) => !word.startsWith('$'));
    const requests: string[][] = [];
    for (const word of words) {
      if (/^\*\d+$/.test(word)) requests.push([]);
      else if (word !== '') requests.at(-1)?.push(word);
    }
    return requests;
  }

  /** What the client has got since this was last asked. */
  take(): string {
    const { got } = this;
    this.got = '';
    return got;
  }

  /** The newest connection. */
  get wire(): HouseWire {
    return this.wires.at(-1) as HouseWire;
  }

  /** Whether the session reads from its client. */
  get reading(): boolean {
    return this.#reading;
  }

  /** Nobody knows a primary there. */
  depose(server: Server, gone = true): void {
    if (gone) this.#down.add(server.name);
    else this.#down.delete(server.name);
    this.session.onRealmChanged();
    this.turn();
  }

  // ---- SessionPorts

  toClient(bytes: Uint8Array): void {
    this.got += Buffer.from(bytes).toString('latin1');
  }

  released(): void {}

  readClient(on: boolean): void {
    this.#reading = on;
  }

  finish(): void {
    this.over = 'finished';
  }

  abort(): void {
    this.over = 'aborted';
  }

  wakeAfter(delayMs: number): Timer {
    const timer = { at: this.nowMs + delayMs };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  watchRealm(): void {}

  now(): number {
    return this.nowMs;
  }

  // ---- what it is made of

  readonly #opened = new Set<HouseWire>();

  #context(clustered: boolean): SessionContext {
    const shards = this.servers.map((server) => this.#shard(server));
    const realm: Realm = {
      name: 'default',
      clustered,
      shards,
      problem: '',
      shardOf: (slot) => shards[Math.max(slot, 0) % shards.length],
      serverAt: (address) => this.servers.find(({ name }) => name === address) as Server,
      doubt: (doubt) => void this.doubts.push(doubt),
      describe: () => ({}),
      close: () => {},
    };
    const policy = { readPolicy: 'preferReplica', consistency: 'session' } as const;
    const context = {
      table,
      live: { known: () => undefined, learn: () => Promise.resolve(table.unknown) },
      budget: new Budget(
        () => defaultLimits,
        () => {},
      ),
      heavy: new Set(),
      routes: () => ({ realmOf: () => realm, several: false, policyOf: () => policy, all: [realm] }),
      servers: this.#servers(),
      limits: { ...defaultLimits, failFastMs: 0 },
      counters: this.counters,
      watch: { answered: () => {} },
      registry: { all: () => [this.session.state], byId: () => undefined },
      auth: () => ({ required: false, check: () => 'ask-server' }),
      scripts: this.scripts,
      random: seededRandom(1),
      log: silentLogger,
      failoverWaitMs: () => 1_000,
      allowNonAtomicMset: () => false,
      writeAcks: () => this.writeAcks,
      refusal: ({ name }: { readonly name: string }) => this.refusal(name),
      mayPassUnseen: () => this.mayPassUnseen,
      keepFromReuse: () => {},
      kill: () => {},
    };
    return context as unknown as SessionContext;
  }

  #servers(): Servers {
    return new Servers({
      openWire: (server, _identity, _readonly, events) => {
        const wire = new HouseWire(events);
        wire.server = server.name;
        this.wires.push(wire);
        return wire;
      },
      soon: (line) => void this.#soon.add(line),
      now: () => this.nowMs,
      limits: { ...defaultLimits, failFastMs: 0 },
      onLost: () => {},
      onErrorReply: () => {},
    });
  }

  #shard(server: Server): Shard {
    const down = this.#down;
    const topology = new Topology(() => Number.POSITIVE_INFINITY, {
      random: seededRandom(1),
      now: () => this.nowMs,
    });
    topology.setServers(server.name, []);
    return {
      name: server.name,
      topology,
      get primary() {
        return down.has(server.name) ? undefined : server;
      },
      why: 'it is gone',
      checking: false,
      busy: undefined,
      moving: false,
      server: (name) => (name === server.name ? server : undefined),
      needRound: () => {},
    };
  }
}
