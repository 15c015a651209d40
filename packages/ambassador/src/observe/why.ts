/**
 * `outrigger why redis 'GETEX k'`: what a command is, which rule says so, and where it would go at this moment.
 *
 * It says what a session without a past would do. A past can only narrow that: unanswered commands hold a read back or
 * take it to the primary, and a connection of its own keeps everything.
 */

import { splitWords } from '@outrigger/core/resp';
import type { Command, Route } from '../commands/command.ts';
import { keysOf } from '../commands/keys.ts';
import { slotOf } from '../commands/slot.ts';
import type { Consistency, ReadPolicy } from '../daemon/config.ts';
import type { Realm, Shard } from '../topology/realm.ts';
import { Class, classOf, namesOf } from './names.ts';

export interface WhyState {
  /** What a request amounts to. */
  readonly commandOf: (args: readonly Buffer[]) => Command;
  readonly realmOf: (key: Uint8Array | undefined) => Realm;
  /** Undefined: nobody has the slot. */
  readonly policyOf: (shard: Shard | undefined) => {
    readonly readPolicy: ReadPolicy;
    readonly consistency: Consistency;
  };
  /** The error a rule answers instead; undefined when the command may be sent. */
  readonly refusal: (command: Command, userName: string, typed: string | undefined) => string | undefined;
  readonly nowMs: () => number;
}

export interface Explanation {
  readonly command: string;
  readonly class: string;
  readonly route: Route;
  /** Why it is routed like this. */
  readonly reason: string;
  /** Where that is known from. */
  readonly origin: string;
  /** Whether it may change data, and is therefore never sent again once it has left. */
  readonly mutates: boolean;
  /** The error of the access rules, answered instead of all that follows. */
  readonly refused: string | null;
  readonly goes: Destination;
  /** What gives its session a connection of its own, and until when. */
  readonly pins: string | null;
  readonly keys: readonly KeyPlace[];
  readonly realm: string;
  readonly shard: string | null;
  readonly readPolicy: ReadPolicy;
  readonly consistency: Consistency;
  readonly replicas: readonly ReplicaReport[];
}

export interface Destination {
  readonly to: 'primary' | 'replica' | 'ambassador' | 'nobody';
  /** null: nobody at the moment, or the ambassador. */
  readonly server: string | null;
  readonly why: string;
}

export interface KeyPlace {
  readonly key: string;
  /** null where keys have no slots. */
  readonly slot: number | null;
  readonly shard: string | null;
}

export interface ReplicaReport {
  readonly server: string;
  readonly takesReads: boolean;
  /** Why not. */
  readonly why: string;
  readonly lagMs: number | null;
  readonly zone: string | null;
}

const classes = namesOf(Class);
/** Of the row that stands for every name no server knows. */
const unknownName = '(unknown)';

/** `line` as typed at redis-cli. Throws RespError for quotes that are not closed. */
export function whyCommand(line: string, state: WhyState, userName = 'default'): Explanation {
  const args = splitWords(line);
  const typed = (args[0]?.toString('latin1') ?? '').toUpperCase();
  const command = state.commandOf(args);
  const keys = keysOf(command, args).flatMap((at) => args[at] ?? []);
  const realm = state.realmOf(keys[0]);
  const shard = shardOf(realm, keys[0]);
  const policy = state.policyOf(shard);
  /** What was written counts only where nobody knows the command. */
  const unknown = command.name === unknownName && typed !== '' ? typed : undefined;
  return {
    command: unknown ?? command.name,
    class: classes[classOf(command.route)] ?? '',
    route: command.route,
    reason: command.why,
    origin: command.origin,
    mutates: command.mutates,
    refused: state.refusal(command, userName, unknown) ?? null,
    goes: destination(command, realm, shard, policy),
    pins: pinOf(command.route),
    keys: keys.map((key) => placeOf(realm, key)),
    realm: realm.name,
    shard: shard?.name ?? null,
    readPolicy: policy.readPolicy,
    consistency: policy.consistency,
    replicas: replicasOf(shard, state.nowMs()),
  };
}

function shardOf(realm: Realm, key: Uint8Array | undefined): Shard | undefined {
  return realm.shardOf(key === undefined || !realm.clustered ? -1 : slotOf(key));
}

function placeOf(realm: Realm, key: Buffer): KeyPlace {
  const slot = realm.clustered ? slotOf(key) : null;
  return { key: key.toString(), slot, shard: realm.shardOf(slot ?? -1)?.name ?? null };
}

type Policy = ReturnType<WhyState['policyOf']>;

function destination(
  { route }: Command,
  realm: Realm,
  shard: Shard | undefined,
  policy: Policy,
): Destination {
  if (route === 'local') {
    return { to: 'ambassador', server: null, why: 'it is about the session, which the ambassador keeps' };
  }
  if (shard === undefined)
    return { to: 'nobody', server: null, why: `no server of ${realm.name} has its slot` };
  return route === 'read' || route === 'scriptRead' ? readFrom(shard, policy) : toPrimary(shard, whys[route]);
}

const whys: Readonly<Record<Exclude<Route, 'read' | 'scriptRead' | 'local'>, string>> = {
  write: 'it may change data',
  primary: 'it changes nothing, but only the primary answers it right',
  cursor: 'every page of one scan must come from the same server',
  script: 'it may change data; scripts have a connection of their own, so that they hold up scripts only',
  aside: 'it must not wait behind what is running',
  blocking: 'it may hold its connection for long',
  wait: 'it is about the writes of this very session',
  multi: 'a transaction belongs to its connection',
  exec: 'it belongs to the transaction of the session, or is an error without one',
  discard: 'it belongs to the transaction of the session, or is an error without one',
  watch: 'only the primary sees every change in time',
  unwatch: 'it belongs to what the session watches',
  subscribe: 'subscriptions belong to their connection',
  monitor: 'it turns its connection into a stream',
  splice: 'nobody knows how to count its replies',
  sticky: 'it may leave something in its connection',
};

function toPrimary(shard: Shard, why: string): Destination {
  const server = shard.primary?.name ?? null;
  if (server !== null) return { to: 'primary', server, why };
  return { to: 'nobody', server, why: `${why}; and there is no primary at the moment: ${shard.why}` };
}

function readFrom(shard: Shard, { readPolicy, consistency }: Policy): Destination {
  if (readPolicy === 'primary') return toPrimary(shard, 'it is a read, and readPolicy is primary');
  if (shard.moving) return toPrimary(shard, 'it is a read, but slots of its shard move to another');
  const replica = shard.topology.choose(() => true, readPolicy === 'nearest');
  if (replica === undefined) {
    const none = 'it is a read, but no replica takes reads';
    return readPolicy === 'replica'
      ? { to: 'nobody', server: null, why: `${none}, and readPolicy replica never falls back` }
      : toPrimary(shard, none);
  }
  const until =
    consistency === 'session'
      ? '; once its session has had an answer from another server, only where a replica is proven to have what that showed'
      : '';
  return {
    to: 'replica',
    server: replica.name,
    why: `it is a read, and ${replica.name} takes reads${until}`,
  };
}

/** What the session keeps for itself from this command on. */
function pinOf(route: Route): string | null {
  switch (route) {
    case 'multi':
    case 'watch':
      return 'a connection of its own until EXEC, DISCARD, UNWATCH or RESET';
    case 'blocking':
    case 'wait':
    case 'aside':
      return 'a connection of its own until it is answered';
    case 'subscribe':
      return 'a connection of its own until the last subscription has ended';
    case 'monitor':
    case 'sticky':
      return 'a connection of its own until RESET';
    case 'splice':
      return 'a connection of its own for good';
    default:
      return null;
  }
}

function replicasOf(shard: Shard | undefined, nowMs: number): ReplicaReport[] {
  if (shard === undefined) return [];
  const { topology } = shard;
  return Array.from(topology.replicas, (replica) => {
    const lagMs = topology.lagMs(replica, nowMs);
    return {
      server: replica.name,
      takesReads: replica.eligible,
      why: replica.why,
      lagMs: lagMs === undefined ? null : Math.round(lagMs),
      zone: replica.zone ?? null,
    };
  });
}
