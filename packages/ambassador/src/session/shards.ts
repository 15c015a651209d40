/**
 * What a client may ask of a Redis Cluster without knowing that it is one: commands over keys of several shards, over
 * all keys, and cursors that go from shard to shard.
 */

import type { Random } from '@outrigger/core/clock';
import { decodeReply, encodeCommand, encodeReply } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { keysOf } from '../commands/keys.ts';
import { slotOf } from '../commands/slot.ts';
import { clusterAnswer, standaloneInfo } from '../locals/cluster-view.ts';
import { join, plan } from '../locals/gather.ts';
import { Held } from '../observe/names.ts';
import type { Realm, Shard } from '../topology/realm.ts';
import { Gathering } from './gathering.ts';
import type { GatherPart } from './gathering.ts';
import type { Session } from './session.ts';

type Joined = (replies: readonly Uint8Array[], random: Random) => Uint8Array;

/** How the answers of all shards become one. */
const everywhere: Readonly<Record<string, Joined>> = {
  DBSIZE: sum,
  KEYS: lists,
  RANDOMKEY: one,
  'SCRIPT|EXISTS': anywhere,
  'SCRIPT|KILL': success,
  'FUNCTION|KILL': success,
  WAIT: fewest,
  WAITAOF: fewest,
  FLUSHALL: first,
  FLUSHDB: first,
  'SCRIPT|LOAD': first,
  'SCRIPT|FLUSH': first,
  'FUNCTION|LOAD': first,
  'FUNCTION|DELETE': first,
  'FUNCTION|FLUSH': first,
  'FUNCTION|RESTORE': first,
};

const splittable: ReadonlySet<string> = new Set(['MGET', 'DEL', 'UNLINK', 'EXISTS', 'TOUCH', 'MSET']);

/** Which shard of how many a cursor is at: in its lowest bits. */
const shardBits = 10n;

/** Handles the request shown if it concerns several shards; undefined: it is one shard's. */
export function overShards(session: Session): boolean | undefined {
  const { name } = session.command;
  if (splittable.has(name)) return split(session);
  const realm = session.context.routes().realmOf(undefined);
  if (!realm.clustered) return undefined;
  if (name.startsWith('CLUSTER')) return session.answer(clusterAnswer(session.args));
  if (name === 'INFO') return session.placing.primary('main', undefined, { capture: standaloneInfo });
  if (name === 'SCAN') return scan(session, realm);
  const joined = everywhere[name];
  if (joined === undefined) return undefined;
  const request = encodeCommand(session.args);
  const parts = realm.shards.map((shard) => ({ request, shard }));
  const { random } = session.context;
  return parts.length < 2 ? undefined : gather(session, parts, (replies) => joined(replies, random));
}

function split(session: Session): boolean | undefined {
  if (!ofOneCluster(session)) return undefined;
  const planned = plan(session.args, slotOf, session.context.allowNonAtomicMset());
  if (planned === undefined) return undefined;
  const parts = planned.parts.map(({ request }) => ({ request, shard: undefined }));
  return gather(session, parts, (replies) => join(planned, replies));
}

/** Whether all its keys are on one route, and that a cluster. */
function ofOneCluster({ context, command, args }: Session): boolean {
  const routes = context.routes();
  if (!routes.several) return routes.realmOf(undefined).clustered;
  const realms = new Set(keysOf(command, args).map((at) => routes.realmOf(args[at])));
  const [realm] = realms;
  return realms.size === 1 && realm?.clustered === true;
}

function gather(
  session: Session,
  parts: readonly GatherPart[],
  joined: (replies: readonly Uint8Array[]) => Uint8Array,
): boolean {
  if (!session.quiet) return session.waiting.hold(Held.order);
  session.gathering = new Gathering(session, parts, joined);
  session.state.commands++;
  session.feed.drop();
  session.feed.putBack(session.gathering.requests);
  return true;
}

/** One shard after the other; the cursor tells which. Shards are in the order of their names, which a failover keeps. */
function scan(session: Session, realm: Realm): boolean | undefined {
  const shards = [...realm.shards].sort((a, b) => (a.name < b.name ? -1 : 1));
  const [name, cursor, ...rest] = session.args;
  const given = cursor?.toString('latin1') ?? '';
  if (!/^\d{1,20}$/.test(given) || shards.length < 2) return undefined;
  const at = Number(BigInt(given) & ((1n << shardBits) - 1n));
  const shard = shards[at];
  if (shard === undefined) return session.answer(encodeReply({ type: 'error', text: 'ERR invalid cursor' }));
  const request = encodeCommand([name as Buffer, String(BigInt(given) >> shardBits), ...rest]);
  return gather(session, [{ request, shard }], ([reply]) => nextCursor(reply as Uint8Array, at, shards));
}

function nextCursor(reply: Uint8Array, at: number, shards: readonly Shard[]): Uint8Array {
  const value = decodeReply(reply);
  if (value.type !== 'list' || value.items[0]?.type !== 'bulk') return reply;
  const cursor = BigInt(value.items[0].bytes.toString('latin1'));
  const over = cursor === 0n;
  const shard = over ? at + 1 : at;
  const next = over && shard === shards.length ? 0n : (cursor << shardBits) | BigInt(shard);
  const items: RespValue[] = [{ type: 'bulk', bytes: Buffer.from(String(next)) }, ...value.items.slice(1)];
  return encodeReply({ ...value, items });
}

function failure(replies: readonly Uint8Array[]): Uint8Array | undefined {
  return replies.find((reply) => reply[0] === 0x2d || reply[0] === 0x21);
}

function first(replies: readonly Uint8Array[]): Uint8Array {
  return failure(replies) ?? (replies[0] as Uint8Array);
}

/** What one of the shards answers that do not answer nothing. */
function one(replies: readonly Uint8Array[], random: Random): Uint8Array {
  const told = replies.filter((reply) => !decodeReply(reply).type.startsWith('null'));
  return failure(replies) ?? told[Math.floor(random.next() * told.length)] ?? (replies[0] as Uint8Array);
}

/** Lists of zeros and ones: what is somewhere, is there. */
function anywhere(replies: readonly Uint8Array[]): Uint8Array {
  const lists = replies.map((reply) => decodeReply(reply));
  const found = lists.map((list) => (list.type === 'list' ? list.items : []));
  const items = (found[0] ?? []).map(
    (item, i) =>
      found.map((list) => list[i]).find((has) => has?.type === 'integer' && has.value === 1) ?? item,
  );
  return failure(replies) ?? encodeReply({ type: 'list', items });
}

/** One that is no error; else what keeps a script from being ended, rather than that another shard has none. */
function success(replies: readonly Uint8Array[]): Uint8Array {
  const done = replies.find((reply) => failure([reply]) === undefined);
  const told = (reply: Uint8Array): string => Buffer.from(reply.subarray(0, 9)).toString('latin1');
  return done ?? replies.find((reply) => told(reply) !== '-NOTBUSY ') ?? (replies[0] as Uint8Array);
}

/** Numbers, or lists of them: the least, which holds for all shards. */
function fewest(replies: readonly Uint8Array[]): Uint8Array {
  const numbers = replies
    .map((reply) => decodeReply(reply))
    .map((value) => (value.type === 'list' ? value.items : [value]));
  const least = (numbers[0] ?? []).map((_, i) =>
    Math.min(...numbers.map((list) => (list[i]?.type === 'integer' ? Number(list[i].value) : 0))),
  );
  const items: RespValue[] = least.map((value) => ({ type: 'integer', value }));
  const [only] = items;
  const listed = decodeReply(replies[0] as Uint8Array).type === 'list';
  return failure(replies) ?? encodeReply(listed || only === undefined ? { type: 'list', items } : only);
}

function sum(replies: readonly Uint8Array[]): Uint8Array {
  let total = 0n;
  for (const reply of replies) {
    const value = decodeReply(reply);
    if (value.type === 'integer') total += BigInt(value.value);
  }
  return failure(replies) ?? Buffer.from(`:${total}\r\n`);
}

function lists(replies: readonly Uint8Array[]): Uint8Array {
  const items: RespValue[] = [];
  for (const reply of replies) {
    const value = decodeReply(reply);
    if (value.type === 'list') items.push(...value.items);
  }
  return failure(replies) ?? encodeReply({ type: 'list', items });
}
