/**
 * Processes by name, in the metric names of process-exporter: sums over those that live, and counters that keep what
 * ended processes had, so that they only grow.
 */

import type { LabelPairs } from '@outrigger/core/exposition';
import type { FamilyBuilder } from '../sources/families.ts';
import type { ProcessFacts } from './process.ts';

type Counters = Readonly<Record<string, number>>;

/** Counters of one name across scrapes; pure. */
export class Totals {
  #ended: Record<string, number> = {};
  #last = new Map<string, Counters>();

  /** What all processes so far add up to. */
  add(processes: readonly Pick<ProcessFacts, 'key' | 'counters'>[]): Counters {
    const now = new Map(processes.map(({ key, counters }) => [key, counters]));
    for (const [key, counters] of this.#last) if (!now.has(key)) addTo(this.#ended, counters);
    this.#last = now;
    const sum = { ...this.#ended };
    for (const counters of now.values()) addTo(sum, counters);
    return sum;
  }
}

function addTo(sum: Record<string, number>, counters: Counters): void {
  for (const [name, value] of Object.entries(counters)) sum[name] = (sum[name] ?? 0) + value;
}

const states: Readonly<Record<string, string>> = { R: 'Running', S: 'Sleeping', D: 'Waiting', Z: 'Zombie' };

function gauge(name: string, help: string) {
  return { name: `namedprocess_namegroup_${name}`, type: 'gauge', help } as const;
}

const count = gauge('num_procs', 'Processes.');
const threads = gauge('num_threads', 'Threads of the processes.');
const memory = gauge('memory_bytes', 'Memory of the processes.');
const fds = gauge('open_filedesc', 'Open file descriptors of the processes.');
const fdRatio = gauge(
  'worst_fd_ratio',
  'Open file descriptors by those allowed, of the process nearest its limit.',
);
const oldest = gauge('oldest_start_time_seconds', 'When the oldest of the processes started.');
const stateCounts = gauge('states', 'Processes by what they do.');
const sockets = gauge('sockets', 'TCP sockets of the processes by state.');

const counterRows: readonly (readonly [
  name: string,
  label: string,
  values: Readonly<Record<string, string>>,
])[] = [
  ['cpu_seconds_total', 'mode', { user: 'user', system: 'system' }],
  ['context_switches_total', 'ctxswitchtype', { voluntary: 'voluntary', nonvoluntary: 'nonvoluntary' }],
  ['major_page_faults_total', '', { majorFaults: '' }],
  ['minor_page_faults_total', '', { minorFaults: '' }],
  ['read_bytes_total', '', { read: '' }],
  ['write_bytes_total', '', { write: '' }],
];
const counterHelp = 'Of the processes, those that ended included.';

export function addGroup(
  to: FamilyBuilder,
  name: string,
  processes: readonly ProcessFacts[],
  totals: Counters,
): void {
  const group: LabelPairs = [['groupname', name]];
  to.add(count, processes.length, group);
  to.add(
    threads,
    sumOf(processes, (one) => one.threads),
    group,
  );
  for (const type of ['resident', 'virtual', 'swapped']) {
    to.add(
      memory,
      sumOf(processes, (one) => one.memory[type] ?? 0),
      [...group, ['memtype', type]],
    );
  }
  addDescriptors(to, group, processes);
  const starts = processes.flatMap(({ startTime }) => startTime ?? []);
  if (starts.length > 0) to.add(oldest, Math.min(...starts), group);
  addStates(to, group, processes);
  for (const [metric, label, values] of counterRows) {
    const family = { name: `namedprocess_namegroup_${metric}`, type: 'counter', help: counterHelp } as const;
    for (const [counter, value] of Object.entries(values)) {
      const total = totals[counter];
      if (total !== undefined) to.add(family, total, label === '' ? group : [...group, [label, value]]);
    }
  }
}

function addDescriptors(to: FamilyBuilder, group: LabelPairs, processes: readonly ProcessFacts[]): void {
  const known = processes.flatMap(({ fds: open, maxFds }) => (open === undefined ? [] : [{ open, maxFds }]));
  if (known.length === 0) return;
  to.add(
    fds,
    sumOf(known, ({ open }) => open),
    group,
  );
  const ratios = known.flatMap(({ open, maxFds }) => (maxFds === undefined ? [] : [open / maxFds]));
  if (ratios.length > 0) to.add(fdRatio, Math.max(...ratios), group);
}

function addStates(to: FamilyBuilder, group: LabelPairs, processes: readonly ProcessFacts[]): void {
  const byState = new Map<string, number>(
    [...Object.values(states), 'Other'].map((state) => [state, 0] as const),
  );
  const bySocket = new Map<string, number>();
  for (const { state, sockets: open } of processes) {
    const known = states[state] ?? 'Other';
    byState.set(known, (byState.get(known) ?? 0) + 1);
    for (const [socket, value] of open) bySocket.set(socket, (bySocket.get(socket) ?? 0) + value);
  }
  for (const [state, value] of byState) to.add(stateCounts, value, [...group, ['state', state]]);
  for (const [state, value] of bySocket) to.add(sockets, value, [...group, ['state', state]]);
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
