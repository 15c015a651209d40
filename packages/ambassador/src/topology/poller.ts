/**
 * Asks every server where it is, in rounds: the primary first, then the replicas (topology.ts says why that order).
 *
 * ioredis speaks to the servers, one connection each, and is imported with the first round. It is told to leave
 * reconnecting and queueing alone: a round that fails says so, and the next one tries again.
 */

import type { Clock } from '@outrigger/core/clock';
import { describeError, errorCode } from '@outrigger/core/errors';
import { Dirty } from '@outrigger/core/lifecycle';
import type { Logger } from '@outrigger/core/log';
import type { Net } from '@outrigger/core/net';
import type { Redis } from 'ioredis';
import type { Credentials } from '../upstream/credentials.ts';
import { dial } from '../upstream/dial.ts';
import { infoField, readSample } from './info.ts';
import type { AmbassadorLimits } from '../daemon/limits.ts';
import type { Server } from '../upstream/server.ts';
import type { Sample, Topology } from './topology.ts';

export interface PollerOptions {
  readonly topology: Topology;
  readonly limits: AmbassadorLimits;
  readonly maxLagMs: () => number;
  readonly credentials: () => Credentials | undefined;
  readonly clock: Clock;
  readonly net: Net;
  readonly log: Logger;
  /** Something has been learned. */
  readonly onChange: () => void;
  /** A server has stopped answering. */
  readonly onSilent: () => void;
}

interface Servers {
  /** Undefined while it is not known which server that is. */
  readonly primary: Server | undefined;
  readonly replicas: readonly Server[];
}

export class Poller {
  readonly #options: PollerOptions;
  readonly #links = new Map<string, Link>();
  readonly #rounds: Dirty;
  #servers: Servers | undefined;
  #started = false;
  #closed = false;

  constructor(options: PollerOptions) {
    this.#options = options;
    const { clock, limits, log } = options;
    this.#rounds = new Dirty({
      clock,
      minIntervalMs: limits.roundSpacingMs,
      retryMs: limits.pollIntervalMs,
      run: () => this.#round(),
      onError: (error) => log.error('asking the servers failed', { error }),
    });
  }

  /** Changes which servers are asked; those that stay keep their connection. */
  setServers(servers: Servers): void {
    this.#servers = servers;
    const known = servers.primary === undefined ? [] : [servers.primary];
    const all = new Map([...known, ...servers.replicas].map((server) => [server.name, server]));
    for (const [name, link] of this.#links) {
      if (all.has(name)) continue;
      link.close();
      this.#links.delete(name);
    }
    for (const [name, server] of all) {
      if (!this.#links.has(name)) this.#links.set(name, this.#link(server));
    }
    this.demand();
  }

  /** A round soon: at most one every `roundSpacingMs`, however often it is asked for. */
  demand(): void {
    if (this.#started) this.#rounds.mark();
  }

  /** The first round: resolves when every server has answered or failed. From then on rounds come by themselves. */
  async start(): Promise<void> {
    await this.#round();
    await Promise.all([...this.#links.values()].map((link) => link.settled()));
    this.#started = true;
    this.#keepTime();
  }

  close(): void {
    this.#closed = true;
    this.#rounds.close();
    for (const link of this.#links.values()) link.close();
  }

  #keepTime(): void {
    if (this.#closed) return;
    const { clock, topology, limits, maxLagMs } = this.#options;
    // Several rounds within max-lag, or a replica that keeps up would look too old between two of them.
    clock.setTimeout(() => this.#keepTime(), Math.min(limits.pollIntervalMs, maxLagMs() / 4));
    topology.judgeLag(clock.now());
    this.demand();
  }

  #link(server: Server): Link {
    return new Link(server, this.#options, () => {
      const { topology, onSilent } = this.#options;
      const why = 'it closed its connection';
      if (server.name === topology.primary.name) topology.primaryLost(why);
      topology.replicaLost(server.name, why);
      onSilent();
      this.demand();
    });
  }

  async #round(): Promise<void> {
    const servers = this.#servers;
    if (servers === undefined || this.#closed) return;
    if (servers.primary !== undefined) await this.#askPrimary(servers.primary);
    for (const server of servers.replicas) {
      this.#links.get(server.name)?.ask((sample) => this.#heardReplica(server.name, sample));
    }
  }

  async #askPrimary(server: Server): Promise<void> {
    const { topology, clock, onChange, log } = this.#options;
    const link = this.#links.get(server.name);
    if (link === undefined) return;
    const before = topology.primary.why;
    const sentAtMs = clock.now();
    const round = topology.beginRound();
    const sample = await link.sample();
    if (typeof sample === 'string') topology.primaryLost(sample);
    else topology.primaryAnswered(round, sentAtMs, sample);
    if (topology.primary.why !== before) {
      const { why } = topology.primary;
      if (why === '') log.info('primary is up', { server: server.name });
      else log.warn('primary is down', { server: server.name, why });
    }
    onChange();
  }

  #heardReplica(name: string, sample: Sample | string): void {
    const { topology, clock, onChange, onSilent, log } = this.#options;
    const replica = [...topology.replicas].find((known) => known.name === name);
    if (replica === undefined || this.#closed) return;
    const before = replica.why;
    if (typeof sample === 'string') topology.replicaLost(name, sample);
    else topology.replicaAnswered(name, sample, clock.now());
    if (replica.eligible && before !== '') log.info('replica takes reads', { server: name });
    if (!replica.eligible && before === '')
      log.warn('replica takes no reads', { server: name, why: replica.why });
    if (typeof sample === 'string') onSilent();
    onChange();
  }
}

/** The poller's connection to one server. */
class Link {
  readonly #server: Server;
  readonly #options: PollerOptions;
  readonly #onEnd: () => void;
  #redis: Redis | undefined;
  #runId = '';
  #asking: Promise<void> | undefined;
  #again: ((sample: Sample | string) => void) | undefined;
  #closed = false;

  /** `onEnd`: an established connection was closed by the other side. */
  constructor(server: Server, options: PollerOptions, onEnd: () => void) {
    this.#server = server;
    this.#options = options;
    this.#onEnd = onEnd;
  }

  /** Asks now, or once more after the question that is out: its answer may be older than the round. */
  ask(heard: (sample: Sample | string) => void): void {
    if (this.#asking !== undefined) {
      this.#again = heard;
      return;
    }
    this.#asking = this.sample().then((sample) => {
      this.#asking = undefined;
      const again = this.#again;
      this.#again = undefined;
      heard(sample);
      if (again !== undefined) this.ask(again);
    });
  }

  async settled(): Promise<void> {
    while (this.#asking !== undefined) await this.#asking;
  }

  close(): void {
    this.#closed = true;
    this.#disconnect();
  }

  /** The server's sample, or why there is none. */
  async sample(): Promise<Sample | string> {
    const { clock, limits } = this.#options;
    const late = new AbortController();
    const timeout = clock.sleep(limits.pollTimeoutMs, late.signal).then(
      () => `it did not answer within ${limits.pollTimeoutMs} ms`,
      () => '',
    );
    try {
      const sample = await Promise.race([this.#question(), timeout]);
      if (typeof sample === 'string') this.#disconnect();
      return sample;
    } catch (error) {
      this.#disconnect();
      return explain(error);
    } finally {
      late.abort();
    }
  }

  async #question(): Promise<Sample | string> {
    const redis = this.#redis ?? (await this.#connect());
    const sample = readSample(this.#runId, await redis.info('replication'));
    return sample ?? 'it does not tell its replication id and offset (Redis 4 or later does)';
  }

  async #connect(): Promise<Redis> {
    const { Redis, AbstractConnector } = await import('ioredis');
    const { net } = this.#options;
    const server = this.#server;
    const credentials = this.#options.credentials();
    class Connector extends AbstractConnector {
      constructor() {
        super(0);
      }
      connect(): Promise<ReturnType<typeof dial>> {
        const stream = dial(server, net);
        this.stream = stream;
        return Promise.resolve(stream);
      }
    }
    const redis = new Redis({
      Connector,
      ...(server.tls ? { tls: {} } : {}),
      ...(credentials?.username === undefined ? {} : { username: credentials.username }),
      ...(credentials === undefined ? {} : { password: credentials.password }),
      protocol: 2,
      lazyConnect: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      disableClientInfo: true,
      connectionName: 'outrigger-ambassador',
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    let failure: unknown;
    redis.on('error', (error) => (failure ??= error));
    redis.once('end', () => this.#ended(redis));
    this.#redis = redis;
    try {
      await redis.connect();
      this.#runId = infoField(await redis.info('server'), 'run_id') ?? '';
    } catch (error) {
      throw failure ?? error;
    }
    if (this.#closed) throw new Error('closed');
    return redis;
  }

  /** A server that dies closes its connection at once: no need to wait for the next round to find out. */
  #ended(redis: Redis): void {
    if (this.#redis !== redis) return;
    this.#redis = undefined;
    if (!this.#closed) this.#onEnd();
  }

  #disconnect(): void {
    const redis = this.#redis;
    this.#redis = undefined;
    redis?.disconnect();
  }
}

function explain(error: unknown): string {
  const code = errorCode(error);
  return code === 'UNKNOWN' ? describeError(error) : code;
}
