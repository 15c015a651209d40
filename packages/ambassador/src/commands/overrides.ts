/**
 * Commands whose flags do not tell how they must be routed, each group with its reason. Everything else follows from the
 * flags (classify.ts). `X|*` means all subcommands of X that are not named themselves and do not have the flag write.
 */

import type { Route } from './command.ts';

export interface Override {
  readonly route: Route;
  readonly mutates: boolean;
  readonly why: string;
}

export function overrideOf(name: string): Override | undefined {
  return byName[name] ?? (name.endsWith('|HELP') ? help : undefined);
}

/** What holds for the subcommands of a container that are not named themselves. */
export function restOfContainer(name: string): Override | undefined {
  return name.includes('|') ? byName[`${name.split('|')[0]}|*`] : undefined;
}

/** For the test that looks for names no server knows. */
export function overriddenNames(): string[] {
  return Object.keys(byName);
}

const help: Override = { route: 'primary', mutates: false, why: 'text about the command itself' };

type Group = readonly [route: Route, mutates: boolean, names: string, why: string];
const changes = true;
const harmless = false;

const groups: readonly Group[] = [
  // The session itself
  [
    'local',
    harmless,
    'HELLO AUTH SELECT QUIT RESET',
    'state of the session, which shares its connections with others',
  ],
  [
    'local',
    harmless,
    'CLIENT CLIENT|*',
    'about the client of this session, not about a connection it shares with others',
  ],
  [
    'local',
    harmless,
    'READONLY READWRITE ASKING',
    'hints to one node of a cluster about one connection: the ambassador chooses nodes itself',
  ],
  // Connections of their own
  ['multi', harmless, 'MULTI', 'opens a transaction, which belongs to its connection'],
  ['exec', changes, 'EXEC', 'runs the transaction of its connection'],
  ['discard', harmless, 'DISCARD', 'ends the transaction of its connection'],
  [
    'watch',
    harmless,
    'WATCH',
    'watched keys belong to the connection; only the primary sees every change in time',
  ],
  ['unwatch', harmless, 'UNWATCH', 'ends what WATCH began'],
  [
    'subscribe',
    harmless,
    'SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE',
    'subscriptions belong to the connection, and replies are not one for each command',
  ],
  ['monitor', harmless, 'MONITOR', 'a stream of everything the server does, until RESET'],
  [
    'splice',
    changes,
    'SYNC PSYNC REPLCONF CLUSTER|SYNCSLOTS',
    'the replication protocol: not a reply for each request',
  ],
  ['splice', changes, 'SCRIPT|DEBUG', 'the script debugger speaks a protocol of its own'],
  [
    'wait',
    harmless,
    'WAIT WAITAOF',
    'waits until the writes of its own connection are replicated or on disk',
  ],
  [
    'sticky',
    changes,
    'DEBUG',
    'may change its connection or stop the server; there is no list of what it does',
  ],
  ['blocking', changes, 'SHUTDOWN', 'answers only when it failed, and waits for replicas first'],
  [
    'aside',
    changes,
    'SCRIPT|KILL FUNCTION|KILL',
    'ends the script that is running: queued behind it, it would come too late',
  ],
  // Scripts
  ['script', changes, 'EVAL EVALSHA FCALL', 'may write; may run long and so hold up what is behind it'],
  [
    'scriptRead',
    harmless,
    'EVAL_RO EVALSHA_RO FCALL_RO',
    'cannot write; may run long and so hold up what is behind it',
  ],
  [
    'script',
    harmless,
    'SCRIPT|LOAD SCRIPT|EXISTS SCRIPT|SHOW',
    'the script cache of each server, in order with EVALSHA; loading twice is loading once',
  ],
  ['script', changes, 'SCRIPT|FLUSH', 'the script cache of each server, in order with EVALSHA'],
  // Nothing of the data in the answer
  ['read', harmless, 'PING ECHO', 'every server gives the same answer'],
  // Reads only the primary answers right
  [
    'cursor',
    harmless,
    'SCAN HSCAN SSCAN ZSCAN CLUSTERSCAN',
    'a cursor means something only to the server that gave it',
  ],
  [
    'primary',
    harmless,
    'TOUCH',
    "is used to keep keys from eviction, and on a replica touches only the replica's copy",
  ],
  [
    'primary',
    harmless,
    'OBJECT|* MEMORY|USAGE VINFO VLINKS',
    "about the copy in one server's memory, which differs from server to server",
  ],
  [
    'primary',
    harmless,
    'DBSIZE',
    'counts keys that have expired and are not yet removed, which differs from server to server',
  ],
  [
    'primary',
    harmless,
    'DUMP',
    "the format is that of the server's version, which an older server cannot restore",
  ],
  ['primary', harmless, 'XPENDING XINFO|*', "consumers' idle times and counters are not replicated exactly"],
  // Messages
  [
    'primary',
    changes,
    'PUBLISH SPUBLISH',
    "published on a replica it reaches that replica's subscribers only; sent twice it arrives twice",
  ],
  [
    'primary',
    harmless,
    'PUBSUB|*',
    'counts the subscribers of one server, and subscriptions are at the primary',
  ],
  // About the server: what applications ask of "the" Redis
  [
    'primary',
    harmless,
    'INFO ROLE TIME LASTSAVE COMMAND COMMAND|*',
    'about one server: the primary is the one clients believe they talk to',
  ],
  [
    'primary',
    harmless,
    'CONFIG|GET MODULE|LIST FUNCTION|LIST FUNCTION|DUMP FUNCTION|STATS',
    'about one server: the primary is the one clients believe they talk to',
  ],
  [
    'primary',
    harmless,
    'SLOWLOG|GET SLOWLOG|LEN COMMANDLOG|GET COMMANDLOG|LEN',
    'about one server: the primary is the one clients believe they talk to',
  ],
  [
    'primary',
    harmless,
    'LATENCY|DOCTOR LATENCY|GRAPH LATENCY|HISTOGRAM LATENCY|HISTORY LATENCY|LATEST',
    'about one server: the primary is the one clients believe they talk to',
  ],
  [
    'primary',
    harmless,
    'MEMORY|DOCTOR MEMORY|MALLOC-STATS MEMORY|STATS',
    'about one server: the primary is the one clients believe they talk to',
  ],
  [
    'primary',
    harmless,
    'ACL|CAT ACL|DRYRUN ACL|GENPASS ACL|GETUSER ACL|LIST ACL|USERS ACL|WHOAMI',
    'about one server: the primary is the one clients believe they talk to',
  ],
  [
    'primary',
    harmless,
    'CLUSTER|COUNT-FAILURE-REPORTS CLUSTER|COUNTKEYSINSLOT CLUSTER|GETKEYSINSLOT CLUSTER|GETSLOTMIGRATIONS CLUSTER|INFO CLUSTER|KEYSLOT',
    'the cluster as one node sees it',
  ],
  [
    'primary',
    harmless,
    'CLUSTER|LINKS CLUSTER|MYID CLUSTER|MYSHARDID CLUSTER|NODES CLUSTER|REPLICAS CLUSTER|SHARDS CLUSTER|SLAVES CLUSTER|SLOT-STATS CLUSTER|SLOTS',
    'the cluster as one node sees it',
  ],
  // Administration
  [
    'primary',
    changes,
    'ACL|* CLUSTER|* CONFIG|* LATENCY|* MEMORY|* MODULE|* SLOWLOG|* COMMANDLOG|*',
    'administers one server: the primary',
  ],
  [
    'primary',
    changes,
    'BGREWRITEAOF BGSAVE SAVE FAILOVER REPLICAOF SLAVEOF PFSELFTEST',
    'administers one server: the primary',
  ],
];

const byName: Readonly<Record<string, Override>> = Object.fromEntries(
  groups.flatMap(([route, mutates, names, why]) =>
    names.split(' ').map((name) => [name, { route, mutates, why }] as const),
  ),
);
