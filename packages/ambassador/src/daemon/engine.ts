/** Sessions, the connections they share and what they count: everything between the listener and the servers. */

import type { Deps } from '@outrigger/core/lifecycle';
import { encodeCommand, encodeError, splitWords } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { Tracer } from '@outrigger/core/tracing';
import type { Socket } from 'node:net';
import { authCheck, authMode } from '../access/auth.ts';
import { CommandRules } from '../access/rules.ts';
import type { Secrets } from '../access/secrets.ts';
import { Users } from '../access/users.ts';
import type { Command } from '../commands/command.ts';
import { LiveCommands } from '../commands/live.ts';
import { CommandTable } from '../commands/table.ts';
import type { AuthCheck, SessionRegistry } from '../locals/answer.ts';
import { ScriptBook } from '../locals/scripts.ts';
import { AnswerWatch } from '../observe/answers.ts';
import { EngineCounters } from '../observe/counters.ts';
import { Departed } from '../observe/departed.ts';
import { Denied, Ended, Phase } from '../observe/names.ts';
import type { EngineState } from '../observe/facts.ts';
import { phaseOf } from '../observe/phase.ts';
import { SlowLog } from '../observe/slow-log.ts';
import { Connection } from '../session/connection.ts';
import type { WriteAcks } from '../session/acks.ts';
import { Budget } from '../session/budget.ts';
import type { Heavy } from '../session/heavy.ts';
import type { SessionContext } from '../session/ports.ts';
import type { RealmEvents } from '../topology/realm.ts';
import type { Line } from '../upstream/line.ts';
import type { DialTls } from '../upstream/server-tls.ts';
import { ReadBuffers } from '../upstream/read-buffers.ts';
import { Servers } from '../upstream/servers.ts';
import type { Refusal } from '../upstream/welcome.ts';
import { socketWires } from '../upstream/wire.ts';
import type { AmbassadorConfig } from './config.ts';
import { liveLimits } from './limits.ts';
import type { AmbassadorLimits } from './limits.ts';
import { leaveDeposed } from './deposed.ts';
import { noteLoss } from './losses.ts';
import { addressesOf, defaultIdentity, newSession } from './new-session.ts';
import { judgeSessions, Logins } from './judging.ts';
import { question } from './question.ts';
import type { Realms } from './realms.ts';
import { TableCheck } from './table-check.ts';
import { TurnEnd } from './turn-end.ts';
import { Tending } from './tending.ts';

export class Engine {
  /** Those in force, whenever they are looked at. */
  readonly limits: AmbassadorLimits = liveLimits(() => this.#config.limits);
  readonly counters: EngineCounters;
  readonly slowLog: SlowLog;
  readonly tracer: Tracer;
  readonly table = new CommandTable();
  readonly live: LiveCommands;
  readonly servers: Servers;
  readonly events: RealmEvents;
  readonly #deps: Deps;
  readonly #connections = new Map<number, Connection>();
  readonly #waiting = new Set<Connection>();
  readonly #context: SessionContext;
  readonly #turnEnd = new TurnEnd();
  readonly #buffers = new ReadBuffers();
  readonly #heavy = new Set<Heavy>();
  readonly #logins: Logins;
  readonly #tending: Tending;
  readonly #tableCheck: TableCheck;
  readonly #departed: Departed;
  #config: AmbassadorConfig;
  #writeAcks: WriteAcks = { replicas: 0, timeoutMs: 0 };
  #realms: Realms | undefined;
  #rules: CommandRules;
  #auth: AuthCheck | undefined;
  #tls: () => DialTls | undefined = () => undefined;
  #lastId = 0;
  #onEmpty: (() => void) | undefined;

  constructor(config: AmbassadorConfig, deps: Deps) {
    this.#config = config;
    this.#deps = deps;
    this.#rules = new CommandRules(config.commands, config.users);
    this.live = new LiveCommands(this.table, (name) => this.ask(['COMMAND', 'INFO', name]));
    this.counters = new EngineCounters({
      metrics: deps.metrics,
      command: (index) => this.table.all()[index] ?? this.live.at(index),
    });
    this.#departed = new Departed(this.counters);
    this.slowLog = new SlowLog(config.slowLog, () => this.counters.slowCommand());
    this.tracer = new Tracer(deps);
    this.servers = new Servers({
      openWire: socketWires({
        net: deps.net,
        clock: deps.clock,
        limits: this.limits,
        credentials: (server) => this.#realms?.credentials(server.name),
        tls: () => this.#tls(),
        buffers: this.#buffers,
      }),
      soon: (line) => this.#turnEnd.soon(line),
      now: () => deps.clock.now(),
      limits: this.limits,
      onLost: (line, refusal, was) => this.#lineLost(line, refusal, was),
      onErrorReply: ({ server }) => this.counters.errorReply(this.counters.servers.index(server.name)),
    });
    this.events = {
      changed: () => this.#changed(),
      silent: (server) => this.#silent(server),
      deposed: (server, answers) => this.#deposed(server, answers),
    };
    this.#context = this.#shared();
    this.#tableCheck = new TableCheck({
      live: this.live,
      runId: () => this.#realms?.realmOf(undefined).shardOf(-1)?.topology.primary.runId,
      ask: (args) => this.ask(args),
      log: deps.log,
    });
    this.#logins = new Logins({
      servers: () => this.servers,
      connections: () => this.#connections.values(),
      isPrimary: (server) => this.#realms?.isPrimary(server) === true,
    });
    this.#tending = new Tending(deps.clock, (nowMs) => this.#tend(nowMs));
  }

  /** Asks a server about the command of this line, if nobody has yet. */
  async learn(line: string): Promise<void> {
    const name = (splitWords(line)[0]?.toString('latin1') ?? '').toUpperCase();
    if (this.table.find(Buffer.from(name, 'latin1'), name.length) === undefined && name !== '') {
      await this.live.learn(name);
    }
  }

  /** What a request amounts to, as far as it is known without asking. */
  commandOf(args: readonly Buffer[]): Command {
    const name = (args[0]?.toString('latin1') ?? '').toUpperCase();
    const known = this.table.find(Buffer.from(name, 'latin1'), name.length) ?? this.live.known(name);
    return known?.examine?.(args) ?? known ?? this.table.unknown;
  }

  /** The error that a rule answers to this user instead; undefined when it may send the command. */
  refusal(command: Command, userName: string, typed?: string): string | undefined {
    return this.#rules.refusal(command, userName, typed);
  }

  get realms(): Realms {
    return this.#realms as Realms;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** What decisions depend on from now on. Sessions stay; connections to servers that are gone close. */
  use(config: AmbassadorConfig, realms: Realms, secrets: Secrets, tls: () => DialTls | undefined): void {
    this.#config = config;
    this.#realms = realms;
    this.#tls = tls;
    this.#rules = new CommandRules(config.commands, config.users);
    const users = new Users(config.users, secrets);
    const wasRequired = this.#auth?.required ?? true;
    this.#auth = this.#counted(authCheck(authMode(config), users, () => secrets.credentials(config.login)));
    judgeSessions(this.#connections.values(), this.#auth, !wasRequired && this.#auth.required);
    const unknown = this.#rules.unknownNames((name) => this.#isCommand(name));
    if (unknown.length > 0)
      this.#deps.log.warn('command lists name what is no command here', { names: unknown });
    this.slowLog.configure(config.slowLog);
    this.#writeAcks = { replicas: config.writeAcks, timeoutMs: config.writeAcksTimeoutMs };
    this.#changed();
  }

  /** Closes what leads to servers that are configured no longer, once they have answered. */
  retire(): void {
    this.servers.retain(this.realms.serverNames);
  }

  accept(socket: Socket): void {
    const { maxClients } = this.#config.limits;
    if (this.#connections.size >= maxClients) {
      this.counters.clientRejected();
      socket.on('error', () => {});
      socket.end(encodeError(`ERR max number of clients reached (maxClients ${maxClients})`));
      socket.destroySoon();
      return;
    }
    this.counters.sessionOpened();
    const id = ++this.#lastId;
    const state = newSession(
      { id, ...addressesOf(socket, this.#config.listen) },
      this.#auth?.required !== true,
      this.#deps.clock.now(),
    );
    const connection = new Connection(socket, state, {
      clock: this.#deps.clock,
      context: this.#context,
      waiting: this.#waiting,
      onEnd: () => this.#ended(id),
    });
    this.#connections.set(id, connection);
    this.#tending.begin();
  }

  /** A question of ours to the primary of all keys, on a shared line. Rejects when there is none, or no answer in time. */
  async ask(args: readonly string[]): Promise<RespValue> {
    const server = this.#realms?.realmOf(undefined).shardOf(-1)?.primary;
    if (server === undefined) throw new Error('no primary is known');
    const line = this.servers.line(server, defaultIdentity, 'main', false);
    if (line === undefined) throw new Error('no connection may be opened');
    const { clock } = this.#deps;
    return question(line, encodeCommand(args), { clock, timeoutMs: this.limits.questionTimeoutMs });
  }

  /** Resolves when every session has been answered what it asked, and is closed. */
  async drain(): Promise<void> {
    for (const connection of [...this.#connections.values()]) connection.drain();
    if (this.#connections.size > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  close(): void {
    this.#tending.end();
    for (const connection of [...this.#connections.values()]) connection.destroy(Ended.drained);
    this.servers.close();
  }

  state(): EngineState {
    const connections = this.#connections;
    return {
      sessionCount: () => connections.size,
      sessions: function* () {
        for (const { session } of connections.values()) yield session.facts();
      },
      connections: () => this.servers.counts(),
      realms: () => this.#realms?.all ?? [],
      bufferedBytes: () => {
        let sum = 0;
        for (const { session } of connections.values()) sum += session.bufferedBytes;
        return sum;
      },
      limits: () => this.#config.limits,
      nowMs: () => this.#deps.clock.now(),
    };
  }

  #counted(auth: AuthCheck): AuthCheck {
    return {
      ...auth,
      check: (user, password) => {
        const verdict = auth.check(user, password);
        if (verdict === 'wrong') this.counters.authFailed();
        return verdict;
      },
    };
  }

  #shared(): SessionContext {
    const connections = this.#connections;
    const limits = (): SessionContext['limits'] => this.#config.limits;
    const registry: SessionRegistry = {
      all: function* () {
        for (const { session } of connections.values()) yield session.state;
      },
      byId: (id) => connections.get(id)?.session.state,
    };
    return {
      table: this.table,
      live: this.live,
      heavy: this.#heavy,
      budget: new Budget(
        () => this.#config.limits,
        () => this.#relieve(),
      ),
      routes: () => this.#realms as Realms,
      servers: this.servers,
      buffers: this.#buffers,
      get limits() {
        return limits();
      },
      counters: this.counters,
      watch: new AnswerWatch({
        slowLog: this.slowLog,
        tracer: this.tracer,
        commandOf: (args) => this.commandOf(args),
        wall: () => this.#deps.clock.wall(),
      }),
      registry,
      auth: () => this.#auth as AuthCheck,
      scripts: new ScriptBook(),
      random: this.#deps.random,
      log: this.#deps.log,
      writeAcks: () => this.#writeAcks,
      failoverWaitMs: () => (this.#config.upstream.kind === 'static' ? 0 : this.#config.failoverWaitMs),
      allowNonAtomicMset: () => this.#config.allowNonAtomicMset,
      refusal: (command, session, typed) => {
        if (!session.authenticated && !unauthenticated.has(command.name)) {
          this.counters.denied(Denied.unauthenticated);
          return 'NOAUTH Authentication required.';
        }
        const rule = this.#rules.rule(command, session.userName, typed);
        if (rule === undefined) return undefined;
        this.counters.denied(Denied[rule]);
        return this.refusal(command, session.userName, typed);
      },
      mayPassUnseen: (session) => session.authenticated && !this.#rules.restricts(session.userName),
      keepFromReuse: (id) => {
        const own = connections.get(id)?.session.own;
        own?.dirty();
        return own?.line?.server;
      },
      kill: (ids) => {
        for (const id of ids) connections.get(id)?.destroy(Ended.killed);
      },
    };
  }

  #isCommand(name: string): boolean {
    const [container = '', sub] = name.split('|');
    const command = this.table.named(container);
    if (command === undefined || sub === undefined) return command !== undefined;
    return command.examine?.([Buffer.from(container), Buffer.from(sub)]).name === name;
  }

  /** False: nothing is left to look after. */
  #tend(nowMs: number): boolean {
    const { servers, limits } = this;
    const ours = this.#realms?.serverNames;
    if (ours === undefined) return true;
    for (const heavy of this.#heavy) if (!heavy.over(nowMs)) heavy.retain(ours);
    this.#endIdle(nowMs);
    const idle = servers.sweep(nowMs);
    servers.retain(ours);
    const isThere = (server: string): boolean => ours.has(server) || servers.has(server);
    const departing = this.#departed.look(isThere, nowMs, limits.forgetAfterMs);
    return idle || departing || this.#connections.size > 0;
  }

  #endIdle(nowMs: number): void {
    const { idleTimeoutMs } = this.#config.limits;
    if (idleTimeoutMs === 0) return;
    for (const connection of this.#connections.values()) {
      const { session } = connection;
      if (session.idle && nowMs - session.state.lastMs >= idleTimeoutMs) connection.destroy(Ended.idle);
    }
  }

  /** As Redis does with maxmemory-clients: whoever holds the most is closed, so that all others can go on. */
  #relieve(): void {
    const { maxBufferedBytes } = this.#config.limits;
    const all = Array.from(this.#connections.values(), (connection) => ({
      connection,
      bytes: connection.session.bufferedBytes,
    }));
    let sum = 0;
    for (const { bytes } of all) sum += bytes;
    if (sum <= maxBufferedBytes) return;
    for (const { connection, bytes } of all.sort((a, b) => b.bytes - a.bytes)) {
      if (sum <= maxBufferedBytes) return;
      sum -= bytes;
      connection.evict(bytes);
    }
  }

  #ended(id: number): void {
    const connection = this.#connections.get(id);
    if (connection !== undefined) this.counters.sessionEnded(connection.ended);
    this.#connections.delete(id);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  #changed(): void {
    this.#tableCheck.look();
    // A server may be gone.
    this.#tending.begin();
    for (const connection of [...this.#waiting]) connection.session.onRealmChanged();
  }

  /** A primary may be waited for; reads that a replica owes are asked elsewhere. */
  #silent(server: string): void {
    const primary = this.#realms?.all.some((realm) =>
      realm.shards.some((shard) => shard.primary?.name === server),
    );
    if (primary === true) return;
    this.counters.upstreamError(this.counters.servers.index(server), Phase.silent);
    this.servers.drop(server, 'it does not answer');
  }

  #deposed(server: string, answers: boolean): void {
    const { servers, limits } = this;
    leaveDeposed(server, answers, { servers, clock: this.#deps.clock, waitMs: limits.pollTimeoutMs });
  }

  #lineLost(line: Line, refusal: Refusal, was: 'opening' | 'open'): void {
    const { servers } = this.counters;
    this.counters.upstreamError(servers.index(line.server.name), phaseOf(refusal, was));
    this.#logins.lost(line, refusal, was);
    noteLoss(this.#realms?.all ?? [], line, refusal, was);
  }
}

/** What a client may say before it has said its password. */
const unauthenticated: ReadonlySet<string> = new Set(['AUTH', 'HELLO', 'QUIT', 'RESET']);
