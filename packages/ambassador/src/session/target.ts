/** Whose data a request is about: the realm and the shard that its keys, or the lack of them, lead to. */

import { firstKeySlot, keysOf, needsDecoding, noKey } from '../commands/keys.ts';
import { slotOf } from '../commands/slot.ts';
import type { Realm, Shard } from '../topology/realm.ts';
import type { Session } from './session.ts';

export interface Target {
  readonly realm: Realm;
  readonly shard: Shard;
}

/** No shard can be told: not yet, or, `final`, never for this request. */
export interface Nowhere {
  readonly why: string;
  readonly final: boolean;
}

const severalRoutes: Nowhere = { why: 'its keys are on different routes', final: true };

export function targetOf(session: Session): Target | Nowhere {
  const { context, gathering } = session;
  const routes = context.routes();
  if (gathering?.shard !== undefined) return { realm: routes.realmOf(undefined), shard: gathering.shard };
  if (routes.several) return byKey(session);
  const realm = routes.realmOf(undefined);
  const slot = realm.clustered ? firstSlot(session) : noKey;
  const shard = realm.shardOf(slot);
  return shard === undefined ? noShard(slot) : { realm, shard };
}

/** The slot of its first key; −1 when it has none. */
function firstSlot({ command, feed, args }: Session): number {
  const slot = feed.inline ? needsDecoding : firstKeySlot(command, feed.frame());
  if (slot !== needsDecoding) return slot;
  const [at] = keysOf(command, args);
  const key = at === undefined ? undefined : args[at];
  return key === undefined ? noKey : slotOf(key);
}

function byKey({ context, command, args }: Session): Target | Nowhere {
  const routes = context.routes();
  const [key, ...others] = keysOf(command, args).map((at) => args[at] as Buffer);
  const realm = routes.realmOf(key);
  if (others.some((other) => routes.realmOf(other) !== realm)) return severalRoutes;
  const slot = key === undefined || !realm.clustered ? noKey : slotOf(key);
  const shard = realm.shardOf(slot);
  return shard === undefined ? noShard(slot) : { realm, shard };
}

function noShard(slot: number): Nowhere {
  return { why: slot === noKey ? 'no server is known' : `no server has slot ${slot}`, final: false };
}
