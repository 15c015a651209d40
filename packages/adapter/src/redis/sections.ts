/** What INFO says, as families; pure. Fields are the table's, these sections have shapes of their own. */

import type { LabelPairs } from '@outrigger/core/exposition';
import type { FamilyBuilder } from '../sources/families.ts';
import { clusterMetric, fieldMetrics } from './fields.ts';
import { infoNumber, parseInfo, parsePairs } from './info.ts';
import type { Info, InfoField } from './info.ts';

/** Databases without keys are shown as well, so that an alert on one does not lose its series; not more than these. */
export const shownDatabases = 64;

export interface InfoContext {
  /** `commandsOf` the same INFO. */
  readonly commands: ReadonlyMap<string, Command>;
  /** As configured; undefined when CONFIG is not allowed. */
  readonly databases: number | undefined;
  /** Milliseconds since the epoch, for servers that do not tell their time. */
  readonly wallMs: number;
}

/** Answers how many fields could not be read. */
export function addInfo(to: FamilyBuilder, info: Info, context: InfoContext): number {
  const all = flat(info);
  const facts: Facts = { all, commands: context.commands };
  let unread = info.unread;
  for (const [section, fields] of info.sections) {
    const reader = readers[section];
    for (const field of fields) {
      if (reader?.(to, field, facts) !== true && !addField(to, field)) unread += 1;
    }
  }
  addKeylessDatabases(to, info, all, context.databases);
  addStart(to, all, context.wallMs);
  addIdentity(to, all);
  return unread;
}

export function addClusterInfo(to: FamilyBuilder, text: string): void {
  for (const fields of parseInfo(text).sections.values()) {
    for (const { key, value } of fields) {
      const metric = clusterMetric(key);
      const number = infoNumber(value);
      if (metric !== undefined && number !== undefined) to.add(metric, number / metric.divisor);
    }
  }
}

/** Fields of cmdstat_, as written. */
export type Command = ReadonlyMap<string, string>;

/** By name; the last of those of the same name. */
export function commandsOf(info: Info): ReadonlyMap<string, Command> {
  const commands = new Map<string, Command>();
  for (const { key, value } of info.sections.get('commandstats') ?? []) {
    if (key.startsWith(commandPrefix)) commands.set(key.slice(commandPrefix.length), parsePairs(value));
  }
  return commands;
}

const commandPrefix = 'cmdstat_';

/** The last of fields of the same name. */
export function flat(info: Info): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const [section, fields] of info.sections) {
    if (tables.has(section)) continue;
    for (const { key, value } of fields) all.set(key, value);
  }
  return all;
}

type All = ReadonlyMap<string, string>;
interface Facts {
  readonly all: All;
  readonly commands: ReadonlyMap<string, Command>;
}
/** True when the field is the section's own, read or not worth reading. */
type Reader = (to: FamilyBuilder, field: InfoField, facts: Facts) => boolean;

/** Sections whose fields are rows, not facts about the server. */
const tables: ReadonlySet<string> = new Set(['commandstats', 'errorstats', 'latencystats', 'keyspace']);

const readers: Readonly<Record<string, Reader>> = {
  commandstats: addCommand,
  errorstats: addErrors,
  latencystats: addPercentiles,
  keyspace: addDatabase,
  replication: addReplication,
  sentinel: addMaster,
};

/** False when the field is known and its value is no number. */
function addField(to: FamilyBuilder, { key, value }: InfoField): boolean {
  const metric = fieldMetrics.get(key);
  if (metric === undefined) return true;
  const number = infoNumber(value);
  if (number === undefined) return false;
  to.add(metric, number / metric.divisor);
  return true;
}

function gauge(name: string, help: string) {
  return { name: `redis_${name}`, type: 'gauge', help } as const;
}

function counter(name: string, help: string) {
  return { name: `redis_${name}`, type: 'counter', help } as const;
}

const callsTotal = counter('commands_total', 'Calls of the command.');
const duration = counter('commands_duration_seconds_total', 'Time spent executing the command.');
const rejected = counter('commands_rejected_calls_total', 'Calls refused before they were executed.');
const failed = counter('commands_failed_calls_total', 'Calls that failed while they were executed.');
const errors = counter('errors_total', 'Error replies by their prefix.');

function addCommand(to: FamilyBuilder, { key }: InfoField, { commands }: Facts): boolean {
  const name = key.slice(commandPrefix.length);
  const pairs = key.startsWith(commandPrefix) ? commands.get(name) : undefined;
  if (pairs === undefined) return false;
  const labels: LabelPairs = [['cmd', name]];
  addNumber(to, callsTotal, pairs.get('calls'), labels);
  addNumber(to, duration, pairs.get('usec'), labels, 1e6);
  addNumber(to, rejected, pairs.get('rejected_calls'), labels);
  addNumber(to, failed, pairs.get('failed_calls'), labels);
  return true;
}

function addErrors(to: FamilyBuilder, { key, value }: InfoField): boolean {
  if (!key.startsWith('errorstat_')) return false;
  addNumber(to, errors, parsePairs(value).get('count'), [['err', key.slice('errorstat_'.length)]]);
  return true;
}

const percentiles = {
  name: 'redis_latency_percentiles_seconds',
  type: 'summary',
  help: 'Time of the command since the statistics began, of INFO latencystats.',
} as const;

/** Those Redis shows unless it is told otherwise. */
const quantiles: ReadonlyMap<string, number> = new Map([
  ['p50', 0.5],
  ['p99', 0.99],
  ['p99.9', 0.999],
]);

function quantileOf(name: string): number | undefined {
  const known = quantiles.get(name);
  if (known !== undefined || !name.startsWith('p')) return known;
  const percent = infoNumber(name.slice(1));
  if (percent === undefined || !(percent >= 0 && percent <= 100)) return undefined;
  return Number((percent / 100).toFixed(8));
}

/** `latency_percentiles_usec_get:p50=1.003,p99=2.007`: a quantile is between 0 and 1, a time in seconds. */
function addPercentiles(to: FamilyBuilder, { key, value }: InfoField, { commands }: Facts): boolean {
  const prefix = 'latency_percentiles_usec_';
  if (!key.startsWith(prefix)) return false;
  const command = key.slice(prefix.length);
  const found: [number, number][] = [];
  for (const [name, text] of parsePairs(value)) {
    const quantile = quantileOf(name);
    const usec = infoNumber(text);
    if (quantile !== undefined && usec !== undefined) found.push([quantile, usec / 1e6]);
  }
  // In the order in which the server's configuration names them.
  for (const [quantile, seconds] of found.sort(([a], [b]) => a - b)) {
    const labels: LabelPairs = [
      ['cmd', command],
      ['quantile', String(quantile)],
    ];
    to.add(percentiles, seconds, labels);
  }
  const usec = infoNumber(commands.get(command)?.get('usec'));
  const calls = infoNumber(commands.get(command)?.get('calls'));
  if (usec === undefined || calls === undefined) return true;
  to.add(percentiles, usec / 1e6, [['cmd', command]], '_sum');
  to.add(percentiles, calls, [['cmd', command]], '_count');
  return true;
}

const keys = gauge('db_keys', 'Keys of the database.');
const expiring = gauge('db_keys_expiring', 'Keys of the database that expire.');
const averageTtl = gauge('db_avg_ttl_seconds', 'Average time until its expiring keys expire, estimated.');
const cachedKeys = gauge('db_keys_cached', 'Keys of the database held in memory (KeyDB).');

function addDatabase(to: FamilyBuilder, { key, value }: InfoField): boolean {
  if (!/^db\d+$/.test(key)) return false;
  const pairs = parsePairs(value);
  const labels: LabelPairs = [['db', key]];
  addNumber(to, keys, pairs.get('keys'), labels);
  addNumber(to, expiring, pairs.get('expires'), labels);
  addNumber(to, averageTtl, pairs.get('avg_ttl'), labels, 1e3);
  addNumber(to, cachedKeys, pairs.get('cached_keys'), labels);
  return true;
}

function addKeylessDatabases(to: FamilyBuilder, info: Info, all: All, configured: number | undefined): void {
  if (!info.sections.has('keyspace')) return;
  const databases = all.get('cluster_enabled') === '1' ? 1 : (configured ?? 16);
  for (let index = 0; index < Math.min(databases, shownDatabases); index++) {
    // Those with keys are there already, and the first of two alike stays.
    to.add(keys, 0, [['db', `db${index}`]]);
    to.add(expiring, 0, [['db', `db${index}`]]);
  }
}

const replicaOffset = gauge(
  'connected_slave_offset_bytes',
  'Replication offset the replica has acknowledged.',
);
const replicaLag = gauge('connected_slave_lag_seconds', 'Time since the replica was heard of last.');
const linkUp = gauge('master_link_up', '1 while a replica is connected to its primary.');
const lastIo = gauge('master_last_io_seconds_ago', 'Time since the primary was heard of last.');
const syncing = gauge('master_sync_in_progress', '1 while a replica copies everything from its primary.');
const readOffset = gauge('slave_repl_offset', 'Replication offset of a replica.');

function addReplication(to: FamilyBuilder, { key, value }: InfoField, { all }: Facts): boolean {
  if (/^slave\d+$/.test(key)) {
    addReplica(to, parsePairs(value));
    return true;
  }
  const primary: LabelPairs = [
    ['master_host', all.get('master_host') ?? ''],
    ['master_port', all.get('master_port') ?? ''],
  ];
  switch (key) {
    case 'master_link_status':
      to.add(linkUp, value === 'up' ? 1 : 0, primary);
      return true;
    case 'master_last_io_seconds_ago':
      return addNumber(to, lastIo, value, primary);
    case 'master_sync_in_progress':
      return addNumber(to, syncing, value, primary);
    case 'slave_repl_offset':
      return addNumber(to, readOffset, value, primary);
    default:
      return false;
  }
}

function addReplica(to: FamilyBuilder, pairs: ReadonlyMap<string, string>): void {
  const labels: LabelPairs = [
    ['slave_ip', pairs.get('ip') ?? ''],
    ['slave_port', pairs.get('port') ?? ''],
    ['slave_state', pairs.get('state') ?? ''],
  ];
  addNumber(to, replicaOffset, pairs.get('offset'), labels);
  const lag = infoNumber(pairs.get('lag'));
  // -1: never heard of.
  if (lag !== undefined && lag >= 0) to.add(replicaLag, lag, labels);
}

const masterStatus = gauge('sentinel_master_status', '1 while the Sentinel thinks the primary is well.');
const masterReplicas = gauge('sentinel_master_slaves', 'Replicas of the primary the Sentinel knows.');
const masterSentinels = gauge('sentinel_master_sentinels', 'Sentinels that watch the primary.');

function addMaster(to: FamilyBuilder, { key, value }: InfoField): boolean {
  if (!/^master\d+$/.test(key)) return false;
  const pairs = parsePairs(value);
  const status = pairs.get('status') ?? '';
  const labels: LabelPairs = [
    ['master_name', pairs.get('name') ?? ''],
    ['master_address', pairs.get('address') ?? ''],
  ];
  to.add(masterStatus, status === 'ok' ? 1 : 0, [...labels, ['master_status', status]]);
  addNumber(to, masterReplicas, pairs.get('slaves'), labels);
  addNumber(to, masterSentinels, pairs.get('sentinels'), labels);
  return true;
}

const startTime = gauge('start_time_seconds', 'When the server started, in seconds since the epoch.');

/** The server's own time keeps it still; by our clock it would move by a second between scrapes. */
function addStart(to: FamilyBuilder, all: All, wallMs: number): void {
  const uptime = infoNumber(all.get('uptime_in_seconds'));
  if (uptime === undefined) return;
  const micros = infoNumber(all.get('server_time_usec'));
  const now = micros === undefined ? wallMs / 1000 : micros / 1e6;
  to.add(startTime, Math.floor(now) - uptime);
}

const instance = {
  name: 'redis_instance_info',
  type: 'info',
  help: 'What the server says of itself.',
} as const;
const replica = { name: 'redis_slave_info', type: 'info', help: 'Whom a replica follows.' } as const;
const instanceFields = [
  ...['role', 'redis_version', 'redis_build_id', 'redis_mode', 'os', 'maxmemory_policy', 'tcp_port'],
  ...['run_id', 'process_id', 'master_replid'],
];

function addIdentity(to: FamilyBuilder, all: All): void {
  if (!all.has('redis_version')) return;
  to.add(
    instance,
    1,
    instanceFields.map((field) => [field, all.get(field) ?? '']),
  );
  if (all.get('role') !== 'slave') return;
  const labels: LabelPairs = [
    ['master_host', all.get('master_host') ?? ''],
    ['master_port', all.get('master_port') ?? ''],
    ['read_only', all.get('slave_read_only') ?? ''],
  ];
  to.add(replica, 1, labels);
}

/** False when the text is no number. */
export function addNumber(
  to: FamilyBuilder,
  family: Parameters<FamilyBuilder['add']>[0],
  text: string | undefined,
  labels: LabelPairs = [],
  divisor = 1,
): boolean {
  const number = infoNumber(text);
  if (number === undefined) return false;
  to.add(family, number / divisor, labels);
  return true;
}
