/** One process as /proc shows it. */

import { errorCode } from '@outrigger/core/errors';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { colons } from './text.ts';

export interface ProcessFacts {
  /** Tells a process from a later one with the same number. */
  readonly key: string;
  readonly state: string;
  /** Seconds since the epoch; undefined where /proc/stat does not say when the machine started. */
  readonly startTime: number | undefined;
  readonly threads: number;
  readonly memory: Readonly<Record<string, number>>;
  /** Undefined where we may not look. */
  readonly fds: number | undefined;
  readonly maxFds: number | undefined;
  /** Of TCP, by state; where we may look. */
  readonly sockets: ReadonlyMap<string, number>;
  readonly counters: Readonly<Record<string, number>>;
}

/** USER_HZ: the unit of times in /proc/PID/stat, 100 on every Linux that matters. */
const ticksPerSecond = 100;

/** Undefined when the process has ended. */
export async function readProcess(
  proc: string,
  pid: number,
  bootTime: number | undefined,
): Promise<ProcessFacts | undefined> {
  const folder = join(proc, String(pid));
  const stat = parseStat((await readMaybe(join(folder, 'stat'))) ?? '');
  if (stat === undefined) return undefined;
  const status = colons((await readMaybe(join(folder, 'status'))) ?? '');
  const io = colons((await readMaybe(join(folder, 'io'))) ?? '');
  const limits = (await readMaybe(join(folder, 'limits'))) ?? '';
  const links = await openFiles(join(folder, 'fd'));
  const kib = (name: string): number => (status.get(name) ?? 0) * 1024;
  return {
    key: `${pid}/${stat.start}`,
    state: stat.state,
    startTime: bootTime === undefined ? undefined : bootTime + stat.start / ticksPerSecond,
    threads: stat.threads,
    memory: { resident: kib('VmRSS'), virtual: kib('VmSize'), swapped: kib('VmSwap') },
    fds: links?.length,
    maxFds: Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.NaN) || undefined,
    sockets: links === undefined ? new Map() : await tcpStates(folder, links),
    counters: {
      user: stat.userTicks / ticksPerSecond,
      system: stat.systemTicks / ticksPerSecond,
      minorFaults: stat.minorFaults,
      majorFaults: stat.majorFaults,
      voluntary: status.get('voluntary_ctxt_switches') ?? 0,
      nonvoluntary: status.get('nonvoluntary_ctxt_switches') ?? 0,
      ...(io.size === 0 ? {} : { read: io.get('read_bytes') ?? 0, write: io.get('write_bytes') ?? 0 }),
    },
  };
}

export interface Stat {
  readonly state: string;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly threads: number;
  /** Ticks since the machine started. */
  readonly start: number;
}

/** The second field, the name, may hold spaces and parentheses; what counts begins behind the last of them. */
export function parseStat(text: string): Stat | undefined {
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const numbers = fields.map(Number);
  const [state = ''] = fields;
  const at = (index: number): number => numbers[index] ?? Number.NaN;
  const stat = {
    ...{ state, minorFaults: at(7), majorFaults: at(9), userTicks: at(11), systemTicks: at(12) },
    ...{ threads: at(17), start: at(19) },
  };
  const complete = Object.values(stat).every((value) => typeof value === 'string' || Number.isFinite(value));
  return close > 0 && complete ? stat : undefined;
}

const tcpStateNames = [
  ...['', 'established', 'syn_sent', 'syn_recv', 'fin_wait1', 'fin_wait2', 'time_wait', 'close'],
  ...['close_wait', 'last_ack', 'listen', 'closing'],
];

/** Of the lines of /proc/PID/net/tcp whose inode is one of `inodes`. */
export function countTcp(text: string, inodes: ReadonlySet<string>, into: Map<string, number>): void {
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const state = tcpStateNames[Number.parseInt(fields[3] ?? '', 16)];
    if (state === undefined || state === '' || !inodes.has(fields[9] ?? '')) continue;
    into.set(state, (into.get(state) ?? 0) + 1);
  }
}

async function tcpStates(folder: string, links: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const states = new Map<string, number>();
  if (inodes.size === 0) return states;
  for (const file of ['net/tcp', 'net/tcp6']) {
    countTcp((await readMaybe(join(folder, file))) ?? '', inodes, states);
  }
  return states;
}

/** What the descriptors point to; undefined where we may not look. */
async function openFiles(folder: string): Promise<string[] | undefined> {
  try {
    const names = await readdir(folder);
    // One that was closed meanwhile is counted as one of nothing.
    return await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')));
  } catch (error) {
    if (gone(error)) return undefined;
    throw error;
  }
}

/** Undefined when the file is gone, or not for us: other users' processes hide some. */
export async function readMaybe(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (gone(error)) return undefined;
    throw error;
  }
}

/** ESRCH: the process ended while its file was read. EOPNOTSUPP: pressure is switched off. */
function gone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ESRCH', 'EOPNOTSUPP', 'ENODEV', 'EISDIR'].includes(
    errorCode(error),
  );
}
