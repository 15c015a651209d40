/**
 * The differences that are allowed, by name. A line of a program says which one it needs; every other byte must agree.
 * All of them are facts of one server or of one connection that two plain Redis servers would not agree on either.
 */

import { childrenOf } from './frames.ts';

const ownFacts: ReadonlySet<string> = new Set(
  [
    'id addr laddr fd age idle qbuf qbuf-free argv-mem multi-mem rbs rbp obl oll omem tot-mem events cmd',
    'watch lib-name lib-ver io-thread tot-net-in tot-net-out tot-cmds sub psub ssub multi',
  ].flatMap((names) => names.split(' ')),
);

export const allowed = {
  /** Connections are numbered by each server. */
  'connection id': (reply: string) =>
    reply.includes('\r\nid\r\n') ? reply.replace(/(\r\nid\r\n):\d+/, '$1:N') : reply.replace(/:\d+/g, ':N'),
  /**
   * CLIENT LIST and CLIENT INFO: addresses, ages, buffers and memory of one connection, and the last command of another;
   * fields of newer servers; how many channels and queued commands, which only the server counts. The rest must agree:
   * name, database, user, protocol, flags.
   */
  'connection facts': (reply: string) =>
    reply.replace(/ ?([\w-]+)=\S*/g, (field, name: string) => (ownFacts.has(name) ? '' : field)),
  /** Addresses in the lines of MONITOR and of CLIENT KILL, and when a command ran. */
  monitored: (reply: string) => reply.replace(/^\+\d+\.\d+ \[(\d+) \S+\]/gm, '+TIME [$1 ADDRESS]'),
  /** Two servers are asked at different times. */
  clock: (reply: string) => reply.replace(/\d+(\.\d+)?(-\d+)?/g, 'TIME'),
  /** Counters, addresses, process ids, memory: the shape must agree, the numbers cannot. */
  'server facts': (reply: string) => shapeOf(reply),
  /** Of INFO what this program's GET, MGET and SET have added; other lines count everybody. */
  calls: (reply: string) =>
    [...reply.matchAll(/(cmdstat_(get|mget|set):calls|keyspace_(hits|misses))[:=]\d+/g)]
      .map(([counted]) => counted)
      .toSorted()
      .join(' '),
  /** Of the slow log which reads are in it; times and ages are the server's. */
  'slow reads': (reply: string) => [...reply.matchAll(/GET\r\n\$\d+\r\nslow-read/g)].join(' '),
  /** Hash tables are seeded by each process, so what they hold comes in any order. */
  'any order': (reply: string) => sorted(reply, 1),
  /** As above, of tables inside tables. */
  'any order inside': (reply: string) => deeplySorted(reply),
  /** As above, fields with their values. */
  'any order of pairs': (reply: string) => sorted(reply, 2),
  /** Chosen by chance: the type must agree. */
  chance: (reply: string) => `${reply[0]} by chance`,
  /** How many replicas a server has, who they are and how far; the plain one has none. */
  replication: (reply: string) =>
    reply
      .replace(/slave\d+:.*\r\n/g, '')
      .replace(/\*3\r\n(\$\d+\r\n\S*\r\n){3}/g, '')
      .replace(/([:*])\d+/g, '$1N'),
} as const;

export type AllowedName = keyof typeof allowed;

export function isAllowed(name: string): name is AllowedName {
  return Object.hasOwn(allowed, name);
}

/** The reply with what is allowed to differ taken out. Lengths go with their contents. */
export function without(names: readonly AllowedName[], reply: string): string {
  if (names.length === 0) return reply;
  const plain = names.reduce((text, name) => allowed[name](text), reply);
  return plain.replace(/^([$=])\d+\r\n/gm, '$1N\r\n');
}

/** Types and names, no values: of `name:value` lines the names, of nested replies their types. */
function shapeOf(reply: string): string {
  const children = childrenOf(reply);
  if (children !== undefined) return `${reply[0]}[${children.map(shapeOf).join(' ')}]`;
  const names = [...reply.matchAll(/^([\w-]+)[:=]/gm)].map(([, name]) => name);
  return `${reply[0]}${[...new Set(names)].join(' ')}`;
}

function deeplySorted(reply: string): string {
  const children = childrenOf(reply);
  if (children === undefined) return reply;
  return reply.slice(0, reply.indexOf('\r\n') + 2) + children.map(deeplySorted).toSorted().join('');
}

function sorted(reply: string, group: 1 | 2): string {
  const children = childrenOf(reply);
  if (children === undefined) return reply;
  const groups: string[] = [];
  for (let i = 0; i < children.length; i += group) groups.push(children.slice(i, i + group).join(''));
  return reply.slice(0, reply.indexOf('\r\n') + 2) + groups.toSorted().join('');
}
