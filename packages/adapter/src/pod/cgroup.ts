/** What the files of a control group (v2) say, in the metric names of cAdvisor without the labels of its containers. */

import type { LabelPairs, MetricType } from '@outrigger/core/exposition';
import type { FamilyBuilder } from '../sources/families.ts';
import { keyed, nested, single } from './text.ts';

/** File → text; absent where the file is: its controller is off, or the kernel is too old. */
export type CgroupFiles = ReadonlyMap<string, string>;

export const cgroupFiles = [
  ...['cgroup.procs', 'cpu.stat', 'cpu.max', 'cpu.pressure', 'io.stat', 'io.pressure'],
  ...['memory.current', 'memory.max', 'memory.peak', 'memory.stat', 'memory.events', 'memory.pressure'],
  ...['memory.swap.current', 'memory.swap.max', 'pids.current', 'pids.max'],
] as const;
type File = (typeof cgroupFiles)[number];

/** `names`: `8:0` → `sda`. */
export function addCgroup(to: FamilyBuilder, files: CgroupFiles, names: ReadonlyMap<string, string>): void {
  addCpu(to, files);
  addMemory(to, files);
  addIo(to, files, names);
  addPids(to, files);
  for (const resource of ['cpu', 'memory', 'io'] as const) addPressure(to, resource, files);
}

type Row = readonly [key: string, name: string, type: MetricType, help: string, divisor?: number];

const cpuRows: readonly Row[] = [
  ['user_usec', 'container_cpu_user_seconds_total', 'counter', 'CPU time in user mode.', 1e6],
  ['system_usec', 'container_cpu_system_seconds_total', 'counter', 'CPU time in the kernel.', 1e6],
  ['nr_periods', 'container_cpu_cfs_periods_total', 'counter', 'Periods in which it ran.'],
  [
    'nr_throttled',
    'container_cpu_cfs_throttled_periods_total',
    'counter',
    'Periods in which it was held back.',
  ],
  ['throttled_usec', 'container_cpu_cfs_throttled_seconds_total', 'counter', 'Time it was held back.', 1e6],
  ['nr_bursts', 'container_cpu_cfs_burst_periods_total', 'counter', 'Periods with a burst.'],
  ['burst_usec', 'container_cpu_cfs_burst_seconds_total', 'counter', 'Time of bursts.', 1e6],
];

function addCpu(to: FamilyBuilder, files: CgroupFiles): void {
  const stat = keyed(text(files, 'cpu.stat'));
  const usage = { name: 'container_cpu_usage_seconds_total', type: 'counter', help: 'CPU time.' } as const;
  const usec = stat.get('usage_usec');
  if (usec !== undefined) to.add(usage, usec / 1e6, [['cpu', 'total']]);
  addRows(to, cpuRows, stat);
  const [quota = '', period = ''] = text(files, 'cpu.max').trim().split(' ');
  addGauge(to, 'container_spec_cpu_quota', 'CPU time allowed in a period, in µs; absent: no limit.', quota);
  addGauge(to, 'container_spec_cpu_period', 'Length of a period, in µs.', period);
}

const memoryRows: readonly Row[] = [
  ['anon', 'container_memory_rss', 'gauge', 'Memory of no file, in bytes.'],
  ['file', 'container_memory_cache', 'gauge', 'Page cache, in bytes.'],
  ['file_mapped', 'container_memory_mapped_file', 'gauge', 'Mapped files, in bytes.'],
  ['inactive_file', 'container_memory_total_inactive_file_bytes', 'gauge', 'Page cache not used lately.'],
  ['active_file', 'container_memory_total_active_file_bytes', 'gauge', 'Page cache used lately.'],
  ['slab', 'container_memory_slab_bytes', 'gauge', 'Memory of the kernel for its own objects.'],
];
const failures = {
  name: 'container_memory_failures_total',
  type: 'counter',
  help: 'Page faults.',
} as const;
const events = {
  name: 'container_memory_events_total',
  type: 'counter',
  help: 'Times a memory limit was met, of memory.events.',
} as const;

function addMemory(to: FamilyBuilder, files: CgroupFiles): void {
  const stat = keyed(text(files, 'memory.stat'));
  const current = single(files.get('memory.current'));
  addGauge(to, 'container_memory_usage_bytes', 'Memory in use, page cache included.', current);
  const inactive = stat.get('inactive_file');
  if (current !== undefined && inactive !== undefined) {
    const help = 'Memory that cannot be taken back easily; what is compared with the limit.';
    addGauge(to, 'container_memory_working_set_bytes', help, Math.max(0, current - inactive));
  }
  addRows(to, memoryRows, stat);
  for (const kind of ['pgfault', 'pgmajfault']) {
    const labels: LabelPairs = [
      ['failure_type', kind],
      ['scope', 'container'],
    ];
    const value = stat.get(kind);
    if (value !== undefined) to.add(failures, value, labels);
  }
  const peak = single(files.get('memory.peak'));
  addGauge(to, 'container_memory_max_usage_bytes', 'Memory in use at most so far.', peak);
  addGauge(to, 'container_memory_swap', 'Swap in use, in bytes.', single(files.get('memory.swap.current')));
  addLimit(to, 'container_spec_memory_limit_bytes', files.get('memory.max'));
  addLimit(to, 'container_spec_memory_swap_limit_bytes', files.get('memory.swap.max'));
  addMemoryEvents(to, keyed(text(files, 'memory.events')));
}

function addMemoryEvents(to: FamilyBuilder, counts: ReadonlyMap<string, number>): void {
  const killed = counts.get('oom_kill');
  const oom = {
    name: 'container_oom_events_total',
    type: 'counter',
    help: 'Processes killed for memory.',
  } as const;
  if (killed !== undefined) to.add(oom, killed);
  for (const event of ['low', 'high', 'max', 'oom', 'oom_kill', 'oom_group_kill']) {
    const value = counts.get(event);
    if (value !== undefined) to.add(events, value, [['event', event]]);
  }
}

const ioRows: readonly Row[] = [
  ['rbytes', 'container_fs_reads_bytes_total', 'counter', 'Bytes read from the device.'],
  ['wbytes', 'container_fs_writes_bytes_total', 'counter', 'Bytes written to the device.'],
  ['rios', 'container_fs_reads_total', 'counter', 'Reads from the device.'],
  ['wios', 'container_fs_writes_total', 'counter', 'Writes to the device.'],
];

function addIo(to: FamilyBuilder, files: CgroupFiles, names: ReadonlyMap<string, string>): void {
  for (const [number, stat] of nested(text(files, 'io.stat'))) {
    const name = names.get(number);
    addRows(to, ioRows, stat, [['device', name === undefined ? number : `/dev/${name}`]]);
  }
}

function addPids(to: FamilyBuilder, files: CgroupFiles): void {
  const procs = files.get('cgroup.procs');
  const count = procs?.split('\n').filter((line) => line !== '').length;
  addGauge(to, 'container_processes', 'Processes.', count);
  addGauge(to, 'container_threads', 'Threads.', single(files.get('pids.current')));
  addLimit(to, 'container_threads_max', files.get('pids.max'));
}

function addPressure(to: FamilyBuilder, resource: 'cpu' | 'memory' | 'io', files: CgroupFiles): void {
  const lines = nested(text(files, `${resource}.pressure`));
  const kinds = [
    ['some', 'waiting', 'at least one process'],
    ['full', 'stalled', 'every process'],
  ] as const;
  for (const [line, what, who] of kinds) {
    const usec = lines.get(line)?.get('total');
    const name = `container_pressure_${resource}_${what}_seconds_total`;
    if (usec === undefined) continue;
    to.add({ name, type: 'counter', help: `Time in which ${who} waited for ${resource}.` }, usec / 1e6);
  }
}

function text(files: CgroupFiles, file: File): string {
  return files.get(file) ?? '';
}

function addRows(
  to: FamilyBuilder,
  rows: readonly Row[],
  values: ReadonlyMap<string, number>,
  labels: LabelPairs = [],
): void {
  for (const [key, name, type, help, divisor = 1] of rows) {
    const value = values.get(key);
    if (value !== undefined) to.add({ name, type, help }, value / divisor, labels);
  }
}

function addGauge(to: FamilyBuilder, name: string, help: string, value: number | string | undefined): void {
  const number = typeof value === 'string' ? single(value) : value;
  if (number !== undefined) to.add({ name, type: 'gauge', help }, number);
}

/** cAdvisor writes 0 where there is no limit. */
function addLimit(to: FamilyBuilder, name: string, limit: string | undefined): void {
  if (limit === undefined) return;
  const value = limit.trim() === 'max' ? 0 : single(limit);
  addGauge(to, name, 'The limit; 0: none.', value);
}

/** /proc/diskstats: `8 0 sda …` → `8:0` is `sda`. */
export function deviceNames(diskstats: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const line of diskstats.split('\n')) {
    const [major, minor, name] = line.trim().split(/\s+/);
    if (name !== undefined) names.set(`${major}:${minor}`, name);
  }
  return names;
}
