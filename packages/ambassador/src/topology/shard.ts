/**
 * The servers that hold the same data, and who of them is the primary: decided here, from answers, without IO.
 *
 * rounds.ts asks and tells what was heard; whoever knows the servers (open.ts, sentinel.ts, cluster.ts) tells which there
 * are and who is meant (roles.ts decides). The order of events is a promise: `primary` is undefined and `deposed` has been
 * called before another one is set, so no two primaries are ever offered at once.
 */

import type { Logger } from '@outrigger/core/log';
import type { Server } from '../upstream/server.ts';
import { isBusy } from '../upstream/welcome.ts';
import type { TopologyLimits } from './limits.ts';
import type { Heard } from './link.ts';
import type { TopologyMetrics } from './metrics.ts';
import type { RealmEvents, Shard } from './realm.ts';
import { measured, notYetSeen } from './replica.ts';
import { elect } from './roles.ts';
import type { Belief, Verdict } from './roles.ts';
import type { Sample, Topology } from './topology.ts';

export interface ShardOptions {
  readonly name: string;
  readonly topology: Topology;
  readonly limits: TopologyLimits;
  readonly log: Logger;
  readonly metrics: TopologyMetrics;
  readonly events: RealmEvents;
  readonly now: () => number;
  /** Asks for a round soon. */
  readonly needRound: () => void;
  /** There is no primary, and a server that is not the one meant says it is: whoever knows may know better by now. */
  readonly onClaim: (server: string) => void;
}

interface Known {
  server: Server;
  sample: Sample | undefined;
  /** Why it cannot be asked; '' when it can. */
  why: string;
  silentSinceMs: number | undefined;
}

interface Office {
  server: Server;
  sample: Sample;
  /** Who was meant when it was elected. */
  readonly meant: string | undefined;
}

/** Whom to ask: the primary first, if there is one, and the others after its answer. */
export interface Questions {
  readonly primary: Server | undefined;
  readonly others: readonly Server[];
}

/** A suspicion: it answered READONLY, say. */
export const contradicted = 'has contradicted its role';

export class LiveShard implements Shard {
  readonly name: string;
  readonly topology: Topology;
  moving = false;
  readonly #options: ShardOptions;
  readonly #known = new Map<string, Known>();
  #belief: Belief = { kind: 'asked', why: notYetSeen };
  #primary: Office | undefined;
  #last: Office | undefined;
  #why = notYetSeen;
  /** What the primary has done that makes it doubtful, until it has been asked; '' otherwise. */
  #suspicion = '';
  /** Between two primaries: the next is known already. */
  #handingOver = false;
  #absentSinceMs: number;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.name = options.name;
    this.topology = options.topology;
    this.#absentSinceMs = options.now();
  }

  get primary(): Server | undefined {
    return this.#suspicion === '' ? this.#primary?.server : undefined;
  }

  get why(): string {
    return this.#suspicion === ''
      ? this.#why
      : `${this.#primary?.server.name} ${this.#suspicion}: it is being asked`;
  }

  get busy(): Shard['busy'] {
    if (this.primary !== undefined) return undefined;
    const last = this.#belief.kind === 'named' ? undefined : this.#last?.server.name;
    const known = this.#known.get(last ?? this.#meant ?? '');
    return known === undefined || !isBusy(known.why) ? undefined : { server: known.server, why: known.why };
  }

  get checking(): boolean {
    return this.#suspicion !== '' || this.#handingOver;
  }

  /** How long there has been no primary; undefined while there is one. */
  absentMs(nowMs: number): number | undefined {
    return this.primary === undefined ? nowMs - this.#absentSinceMs : undefined;
  }

  get servers(): readonly Server[] {
    return [...this.#known.values()].map(({ server }) => server);
  }

  get belief(): Belief {
    return this.#belief;
  }

  server(name: string): Server | undefined {
    return this.#known.get(name)?.server;
  }

  /** What it said last; undefined when it cannot be asked. */
  sample(name: string): Sample | undefined {
    return this.#known.get(name)?.sample;
  }

  needRound(): void {
    this.#options.needRound();
  }

  questions(): Questions {
    const primary = this.#primary?.server;
    return { primary, others: this.servers.filter(({ name }) => name !== primary?.name) };
  }

  /** Changes which servers there are and who is meant; what is known of those that stay is kept. */
  place(servers: readonly Server[], belief: Belief): void {
    this.#belief = belief;
    const wanted = new Map(servers.map((server) => [server.name, server]));
    for (const name of this.#known.keys()) if (!wanted.has(name)) this.#known.delete(name);
    for (const [name, server] of wanted) {
      const known = this.#known.get(name);
      if (known === undefined) {
        this.#known.set(name, { server, sample: undefined, why: notYetSeen, silentSinceMs: undefined });
      } else known.server = server;
    }
    if (this.#primary !== undefined) {
      this.#primary.server = wanted.get(this.#primary.server.name) ?? this.#primary.server;
    }
    this.#settle();
    this.#seat();
    this.#options.events.changed();
    this.needRound();
  }

  /** The primary's answer to the question of a round. */
  heardInRound(round: number, sentAtMs: number, name: string, heard: Heard): void {
    const asked = this.#primary;
    this.heard(name, heard);
    // Proof only if it is still the one whose round this was.
    if (heard.kind !== 'sample' || asked === undefined || this.#primary !== asked) return;
    if (asked.server.name === name) this.topology.primaryAnswered(round, sentAtMs, heard.sample);
  }

  heard(name: string, heard: Heard): void {
    const known = this.#known.get(name);
    if (known === undefined) return;
    const { events, now } = this.#options;
    if (heard.kind === 'sample') this.#answered(name, known, heard);
    else {
      const news = known.why !== heard.why;
      known.why = heard.why;
      if (heard.kind === 'gone') known.sample = undefined;
      // A busy one lives: nobody may take its place, and what it runs is answered when it is done.
      if (heard.kind === 'busy') known.silentSinceMs = undefined;
      else known.silentSinceMs ??= now();
      this.#unheard(name, heard.why);
      if (news && heard.kind !== 'busy') events.silent(name);
    }
    if (name === this.#primary?.server.name) this.#suspicion = '';
    this.#settle();
    events.changed();
  }

  /** Looks at the clock: lag grows, and a silent primary is given up at last. */
  tick(): void {
    const { now, limits, events } = this.#options;
    this.topology.judgeLag(now());
    const since = this.#known.get(this.#primary?.server.name ?? '')?.silentSinceMs;
    if (since === undefined || now() - since < limits.primarySilenceMs) return;
    this.#settle();
    events.changed();
  }

  /** It closed its connection to us: it may be dead, or the connection alone was closed. */
  ended(name: string): void {
    if (name === this.#primary?.server.name) this.suspect(name, 'has closed its connection');
    else this.heard(name, { kind: 'gone', why: 'it closed its connection' });
    this.needRound();
  }

  /** The primary has done something that makes it doubtful. Nothing is sent to it until it has been asked. */
  suspect(name: string, suspicion: string): void {
    if (name !== this.#primary?.server.name || this.#suspicion !== '') return;
    this.#suspicion = suspicion;
    this.#absentSinceMs = this.#options.now();
    this.needRound();
    this.#options.events.changed();
  }

  /** Nobody is the primary any longer: the shard is given up. */
  close(): void {
    this.#depose('it is no longer part of this');
    this.#known.clear();
    this.topology.setServers('', []);
  }

  #answered(name: string, known: Known, { sample, tookMs }: Heard & { kind: 'sample' }): void {
    known.sample = sample;
    known.why = '';
    known.silentSinceMs = undefined;
    if (name === this.#primary?.server.name) {
      // Another process behind the same address: its predecessor's connections lead nowhere.
      this.#handingOver = sample.role === 'master';
      if (sample.runId !== this.#primary.sample.runId) this.#depose('it was restarted');
      else this.#primary.sample = sample;
      return;
    }
    const replica = this.topology.replica(name);
    if (replica === undefined) return;
    const before = replica.why;
    this.topology.replicaAnswered(name, sample, this.#options.now());
    this.topology.setZone(name, known.server.zone ?? sample.zone);
    // Nobody reads there, so nobody measures; else an old figure would keep it that way.
    if (replica.outstanding === 0) measured(replica, tookMs, this.#options.now());
    this.#tell(replica.name, before, replica.why);
  }

  #unheard(name: string, why: string): void {
    if (name === this.topology.primary.name) this.topology.primaryLost(why);
    const replica = this.topology.replica(name);
    if (replica === undefined) return;
    const before = replica.why;
    this.topology.replicaLost(name, why);
    this.#tell(name, before, why);
  }

  #tell(server: string, before: string, why: string): void {
    const { log } = this.#options;
    if (before !== '' && why === '') log.info('replica takes reads', { server });
    if (before === '' && why !== '') log.warn('replica takes no reads', { server, why });
  }

  /** Compares what is known with who is the primary, and changes that. */
  #settle(): void {
    const verdict = this.#verdict();
    const elected = verdict.primary;
    if (this.#primary !== undefined && this.#primary.server.name !== elected?.name) {
      this.#handingOver = elected !== undefined;
      this.#depose(elected === undefined ? verdict.why : `${elected.name} is the primary now`);
    }
    this.#handingOver = false;
    if (elected === undefined) {
      this.#why = verdict.why;
      if (this.topology.primary.why === '' || this.#last === undefined)
        this.topology.primaryLost(verdict.why);
      this.#hint();
    } else if (this.#primary === undefined) this.#install(elected.name, elected.sample);
  }

  #verdict(): Verdict & { readonly why: string } {
    const members = [...this.#known].map(([name, known]) => {
      const usable = this.#tooSilent(known) ? undefined : known.sample;
      return { name, sample: usable, why: known.why, asked: known.why !== notYetSeen };
    });
    const incumbent = this.#last && {
      name: this.#last.server.name,
      sample: this.#last.sample,
      meant: this.#last.meant,
      sitting: this.#primary !== undefined,
    };
    return { why: '', ...elect(members, this.#belief, incumbent) };
  }

  #tooSilent({ silentSinceMs }: Known): boolean {
    const { now, limits } = this.#options;
    return silentSinceMs !== undefined && now() - silentSinceMs >= limits.primarySilenceMs;
  }

  #install(name: string, sample: Sample): void {
    const { log, metrics, events, now } = this.#options;
    const { server } = this.#known.get(name) as Known;
    this.#primary = { server, sample, meant: this.#meant };
    this.#last = this.#primary;
    this.#why = '';
    this.#seat();
    this.topology.primaryKnown(sample);
    metrics.roleChange('elected');
    log.info('primary is up', { server: name, absentMs: Math.round(now() - this.#absentSinceMs) });
    const configured = this.#belief.kind === 'configured' ? this.#belief.name : name;
    if (configured !== name)
      log.warn('the primary is not the configured server', { server: name, configured });
    events.changed();
    this.needRound();
  }

  #depose(why: string): void {
    if (this.#primary === undefined) return;
    const { log, metrics, events, now } = this.#options;
    const { server, sample } = this.#primary;
    const { name } = server;
    const last = this.#known.get(name)?.sample;
    const yielded = last?.role === 'slave' && last.runId === sample.runId;
    this.#primary = undefined;
    this.#suspicion = '';
    this.#why = why;
    this.#absentSinceMs = now();
    this.topology.primaryLost(why);
    metrics.roleChange('deposed');
    log.warn('primary is down', { server: name, why });
    events.deposed(name, yielded);
    this.needRound();
  }

  /** Who is primary and who are replicas, for the proofs. The last primary's rounds count until there is another. */
  #seat(): void {
    const primary = (this.#primary ?? this.#last)?.server.name ?? this.#meant ?? '';
    const replicas = [...this.#known.keys()].filter((name) => name !== primary);
    this.topology.setServers(primary, replicas);
    for (const name of replicas) this.topology.setZone(name, this.#known.get(name)?.server.zone);
  }

  #hint(): void {
    for (const [name, { sample }] of this.#known) {
      if (name !== this.#meant && sample?.role === 'master') this.#options.onClaim(name);
    }
  }

  get #meant(): string | undefined {
    return this.#belief.kind === 'asked' ? undefined : this.#belief.name;
  }
}
