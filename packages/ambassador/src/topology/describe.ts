/** What `/debug` shows of a shard: who is believed to be what, why, and how far behind. */

import type { LiveShard } from './shard.ts';

export interface ServerPicture {
  readonly server: string;
  readonly role: 'primary' | 'replica';
  /** What it said it is; null when it cannot be asked. */
  readonly says: 'master' | 'slave' | null;
  readonly takes: 'writes' | 'reads' | 'nothing';
  readonly why: string;
  readonly zone: string | null;
  readonly offset: number | null;
  /** Age of the newest state of the primary it is proven to have. */
  readonly lagMs: number | null;
  readonly latencyMs: number | null;
  readonly sessions: number;
  readonly outstanding: number;
  readonly ejections: number;
}

export interface ShardPicture {
  readonly name: string;
  readonly primary: string | null;
  readonly why: string;
  /** Rounds of questions sent. */
  readonly rounds: number;
  /** Times a server's data was replaced by another's. */
  readonly breaks: number;
  /** Its slots go to another shard, so nothing is read at its replicas. */
  readonly moving: boolean;
  readonly servers: readonly ServerPicture[];
}

export function describeShard(shard: LiveShard, nowMs: number): ShardPicture {
  const { topology, primary, why } = shard;
  return {
    name: shard.name,
    primary: primary?.name ?? null,
    why,
    rounds: topology.sent,
    breaks: topology.breaks,
    moving: shard.moving,
    servers: shard.servers.map(({ name, zone }) => describeServer(shard, name, zone, nowMs)),
  };
}

function describeServer(
  shard: LiveShard,
  name: string,
  zone: string | undefined,
  nowMs: number,
): ServerPicture {
  const { topology, primary } = shard;
  const sample = shard.sample(name);
  const replica = topology.replica(name);
  const writes = primary?.name === name;
  return {
    server: name,
    role: replica === undefined ? 'primary' : 'replica',
    says: sample?.role ?? null,
    takes: writes ? 'writes' : replica?.eligible === true ? 'reads' : 'nothing',
    why: replica?.why ?? (writes ? '' : shard.why),
    zone: zone ?? sample?.zone ?? null,
    offset: sample?.offset ?? null,
    lagMs: replica === undefined ? null : (topology.lagMs(replica, nowMs) ?? null),
    latencyMs: replica === undefined || replica.ewmaMs === 0 ? null : replica.ewmaMs,
    sessions: replica?.sessions ?? 0,
    outstanding: replica?.outstanding ?? 0,
    ejections: replica?.ejections ?? 0,
  };
}
