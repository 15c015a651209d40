import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { tempDir } from '../../../../test/harness/index.ts';
import { Totals } from '../../src/pod/groups.ts';
import { countTcp, parseStat } from '../../src/pod/process.ts';
import { podSource } from '../../src/pod/source.ts';
import type { PodSpec } from '../../src/pod/source.ts';
import { SourceError } from '../../src/sources/source.ts';
import type { Answer } from '../../src/sources/source.ts';
import { samplesOf } from '../sources/page-text.ts';

const asked = (signal = new AbortController().signal) => ({ signal, leftMs: 1000 });

function put(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

const cgroup = {
  'cgroup.procs': '1\n7\n',
  'cpu.stat':
    'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 10\nnr_throttled 3\n' +
    'throttled_usec 1500000\nnr_bursts 0\nburst_usec 0\n',
  'cpu.max': '50000 100000\n',
  'cpu.pressure': 'some avg10=0.00 avg60=1.50 avg300=0.00 total=3000000\nfull avg10=0.00 total=1000000\n',
  'memory.current': '1000\n',
  'memory.max': 'max\n',
  'memory.stat': 'anon 400\nfile 600\ninactive_file 250\npgfault 5\npgmajfault 1\nslab 7\n',
  'memory.events': 'low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n',
  'memory.pressure': 'some avg10=0.00 total=500000\n',
  'io.stat': '8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n253:1 rbytes=1\n9:9\n',
  'pids.current': '12\n',
  'pids.max': '100\n',
};

function processFiles(pid: number, command: string, ticks: number, name = 'app'): Record<string, string> {
  const fields = `S 1 1 1 0 -1 0 11 0 22 0 ${ticks} 50 0 0 20 0 3 0 1000 4096 5`;
  return {
    [`${pid}/stat`]: `${pid} (${name}) ${fields} 0 0\n`,
    [`${pid}/cmdline`]: command.replaceAll(' ', '\0') + '\0',
    [`${pid}/status`]:
      'Name:\tapp\nVmSize:\t  20 kB\nVmRSS:\t  10 kB\nVmSwap:\t 1 kB\n' +
      'voluntary_ctxt_switches:\t4\nnonvoluntary_ctxt_switches:\t5\n',
    [`${pid}/io`]: 'rchar: 1\nread_bytes: 100\nwrite_bytes: 200\n',
    [`${pid}/limits`]: 'Limit  Soft Limit  Hard Limit  Units\nMax open files            10   4096    files\n',
  };
}

interface Pod {
  readonly group: string;
  readonly proc: string;
  collect(spec?: Partial<PodSpec>): Promise<Answer>;
}

function fakePod(t: Test): Pod {
  const folder = tempDir(t);
  const [group, proc] = [join(folder, 'cgroup'), join(folder, 'proc')];
  put(group, cgroup);
  put(proc, { diskstats: '   8       0 sda 1 2\n', stat: 'cpu 1\nbtime 1700000000\n' });
  return {
    ...{ group, proc },
    collect: (spec = {}) => podSource({ cgroup: group, proc, ...spec }).collect(asked()),
  };
}

test('every file of the control group under the names of cAdvisor', async (t) => {
  const { families } = await fakePod(t).collect();
  t.same(Object.fromEntries(samplesOf(families)), {
    'container_cpu_usage_seconds_total{cpu="total"}': 2.5,
    container_cpu_user_seconds_total: 2,
    container_cpu_system_seconds_total: 0.5,
    container_cpu_cfs_periods_total: 10,
    container_cpu_cfs_throttled_periods_total: 3,
    container_cpu_cfs_throttled_seconds_total: 1.5,
    container_cpu_cfs_burst_periods_total: 0,
    container_cpu_cfs_burst_seconds_total: 0,
    container_spec_cpu_quota: 50_000,
    container_spec_cpu_period: 100_000,
    container_memory_usage_bytes: 1000,
    container_memory_working_set_bytes: 750,
    container_memory_rss: 400,
    container_memory_cache: 600,
    container_memory_total_inactive_file_bytes: 250,
    container_memory_slab_bytes: 7,
    'container_memory_failures_total{failure_type="pgfault",scope="container"}': 5,
    'container_memory_failures_total{failure_type="pgmajfault",scope="container"}': 1,
    container_spec_memory_limit_bytes: 0,
    container_oom_events_total: 4,
    'container_memory_events_total{event="low"}': 0,
    'container_memory_events_total{event="high"}': 1,
    'container_memory_events_total{event="max"}': 2,
    'container_memory_events_total{event="oom"}': 3,
    'container_memory_events_total{event="oom_kill"}': 4,
    'container_fs_reads_bytes_total{device="/dev/sda"}': 10,
    'container_fs_writes_bytes_total{device="/dev/sda"}': 20,
    'container_fs_reads_total{device="/dev/sda"}': 1,
    'container_fs_writes_total{device="/dev/sda"}': 2,
    'container_fs_reads_bytes_total{device="253:1"}': 1,
    container_processes: 2,
    container_threads: 12,
    container_threads_max: 100,
    container_pressure_cpu_waiting_seconds_total: 3,
    container_pressure_cpu_stalled_seconds_total: 1,
    container_pressure_memory_waiting_seconds_total: 0.5,
  });
});

test('files that are missing or garbage cost their own metrics only', async (t) => {
  const pod = fakePod(t);
  for (const file of ['memory.current', 'memory.stat', 'io.stat', 'cpu.max', 'memory.pressure']) {
    rmSync(join(pod.group, file));
  }
  put(pod.group, {
    'memory.events': '\0\0\0',
    'pids.current': 'twelve',
    'cpu.stat': 'usage_usec lots\nuser_usec 1000000\n\n nr_periods\n',
    'cpu.pressure': 'some total= avg=x\nfull\n',
  });
  const samples = samplesOf((await pod.collect()).families);
  t.equal(samples.get('container_cpu_user_seconds_total'), 1);
  t.equal(samples.get('container_threads_max'), 100);
  const lost = [...samples.keys()].filter((key) =>
    /memory_(usage|working|events)|_fs_|usage|pressure/.test(key),
  );
  t.same(lost, []);
});

test('without a control group of version 2 the processes are still shown', async (t) => {
  const pod = fakePod(t);
  put(pod.proc, processFiles(5, 'app', 100));
  rmSync(join(pod.group, 'cgroup.procs'));
  const error = await pod.collect({ processes: [{ name: 'app', command: 'app' }] }).catch((e: unknown) => e);
  if (!(error instanceof SourceError)) throw new Error('it answered');
  t.equal(error.class, 'unreachable');
  t.equal(samplesOf(error.families).get('namedprocess_namegroup_num_procs{groupname="app"}'), 1);
});

test('processes by their command line and by a pid file', async (t) => {
  const pod = fakePod(t);
  put(pod.proc, {
    ...processFiles(5, 'node server.js --port 1', 100),
    ...processFiles(6, 'node other.js', 900),
  });
  put(pod.proc, { ...processFiles(7, 'server.js', 300, ') R 9 (x'), '8/cmdline': '', 'app.pid': ' 6\n' });
  mkdirSync(join(pod.proc, '5/fd'));
  for (const fd of ['0', '1', '2', '3']) symlinkSync(`socket:[${fd}]`, join(pod.proc, '5/fd', fd));
  const tcp = '  sl  local_address rem_address st\n   0: 0100007F:1 00000000:0 0A 0:0 00:0 0 0 0 1 1\n';
  put(pod.proc, { '5/net/tcp': tcp, '5/net/tcp6': '   0: 0:1 0:0 01 0:0 00:0 0 0 0 3 1\n' });
  const { families, dropped } = await pod.collect({
    processes: [
      { name: 'server', command: 'server\\.js' },
      { name: 'other', pidFile: join(pod.proc, 'app.pid') },
      { name: 'gone', pidFile: join(pod.proc, 'none.pid') },
      { name: 'bad', pidFile: join(pod.proc, 'stat') },
    ],
  });
  t.same(dropped, { 'bad-pid-file': 1 });
  const samples = samplesOf(families);
  const of = (name: string, labels = '', group = 'server'): number | undefined => {
    const sorted = [`groupname="${group}"`, labels].filter((one) => one !== '').sort();
    return samples.get(`namedprocess_namegroup_${name}{${sorted.join(',')}}`);
  };
  t.equal(of('num_procs'), 2);
  t.equal(of('num_procs', '', 'other'), 1);
  t.equal(of('num_procs', '', 'gone'), 0);
  t.equal(of('cpu_seconds_total', 'mode="user"'), 4);
  t.equal(of('cpu_seconds_total', 'mode="system"'), 1);
  t.equal(of('cpu_seconds_total', 'mode="user"', 'other'), 9);
  t.equal(of('memory_bytes', 'memtype="resident"'), 20 * 1024);
  t.equal(of('num_threads'), 6);
  t.equal(of('open_filedesc'), 4, 'of those we may look into');
  t.equal(of('worst_fd_ratio'), 0.4);
  t.equal(of('oldest_start_time_seconds'), 1_700_000_010);
  t.equal(of('states', 'state="Sleeping"'), 2);
  t.equal(of('sockets', 'state="listen"'), 1);
  t.equal(of('sockets', 'state="established"'), 1);
  t.equal(of('context_switches_total', 'ctxswitchtype="voluntary"'), 8);
  t.equal(of('major_page_faults_total'), 44);
  t.equal(of('read_bytes_total'), 200);
});

test('counters keep what ended processes had, and a number used again is another process', (t) => {
  const totals = new Totals();
  const one = (key: string, user: number) => ({ key, counters: { user } });
  t.same(totals.add([one('1/10', 5), one('2/10', 7)]), { user: 12 });
  t.same(totals.add([one('2/10', 8)]), { user: 13 });
  t.same(totals.add([one('1/99', 1), one('2/10', 8)]), { user: 14 });
  t.same(totals.add([]), { user: 14 });
  t.end();
});

test('texts of processes that are none', (t) => {
  for (const text of ['', ')', '1 (a) S', 'x'.repeat(100), `1 (a) S${' y'.repeat(30)}`]) {
    t.equal(parseStat(text), undefined, text);
  }
  const states = new Map<string, number>();
  countTcp('\n x\n 0: a b FF c d e f g 1\n 0: a b 0A', new Set(['1']), states);
  t.equal(states.size, 0);
  t.end();
});

test('processes are chosen one way', (t) => {
  const pod = { cgroup: '/', proc: '/proc' };
  const code = (processes: PodSpec['processes']) => () =>
    podSource({ ...pod, ...(processes && { processes }) });
  t.throws(code([{ name: 'a' }]), { code: 'CONFIG_INVALID' });
  t.throws(code([{ name: 'a', command: 'x', pidFile: 'y' }]), { code: 'CONFIG_INVALID' });
  t.throws(code([{ name: 'a', command: '(' }]), { code: 'ADAPTER_BAD_REGEX' });
  t.end();
});

test('a scrape that is over reads no more processes, and the next reads them', async (t) => {
  const pod = fakePod(t);
  put(pod.proc, processFiles(5, 'app', 100));
  const source = podSource({ cgroup: pod.group, proc: pod.proc, processes: [{ name: 'a', command: 'a' }] });
  const late = await source.collect(asked(AbortSignal.abort())).catch((error: unknown) => error);
  t.equal((late as SourceError).class, 'timeout');
  const { families } = await source.collect(asked());
  t.equal(samplesOf(families).get('namedprocess_namegroup_num_procs{groupname="a"}'), 1);
});

const noProc = existsSync('/proc/self/stat') ? {} : { skip: 'there is no /proc here' };

test('a real process: its threads, sockets and end', noProc, async (t) => {
  const marker = `marker-${process.pid}`;
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log(1)', marker]);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pidFile = join(tempDir(t), 'pid');
  writeFileSync(pidFile, `${process.pid}\n`);
  const pod = podSource({
    ...{ cgroup: fakePod(t).group, proc: '/proc' },
    processes: [
      { name: 'child', command: marker },
      { name: 'self', pidFile },
    ],
  });
  const first = samplesOf((await pod.collect(asked())).families);
  const of = (samples: Map<string, number>, key: string) =>
    samples.get(`namedprocess_namegroup_${key}`) ?? -1;
  t.equal(of(first, 'num_procs{groupname="child"}'), 1);
  t.ok(of(first, 'num_threads{groupname="child"}') > 1);
  t.ok(of(first, 'memory_bytes{groupname="child",memtype="resident"}') > 1e6);
  t.ok(of(first, 'open_filedesc{groupname="child"}') > 2);
  t.ok(of(first, 'sockets{groupname="self",state="listen"}') >= 1);
  t.ok(Math.abs(of(first, 'oldest_start_time_seconds{groupname="child"}') - Date.now() / 1000) < 60);
  const cpu = of(first, 'cpu_seconds_total{groupname="child",mode="user"}');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const second = samplesOf((await pod.collect(asked())).families);
  t.equal(of(second, 'num_procs{groupname="child"}'), 0);
  t.ok(of(second, 'cpu_seconds_total{groupname="child",mode="user"}') >= cpu);
});

/** Where the machine has it, if only beside the first version. */
const mounted = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) =>
  existsSync(join(path, 'cpu.stat')),
);

test(
  "the kernel's own control group",
  mounted === undefined ? { skip: 'no control group of version 2 is mounted here' } : {},
  async (t) => {
    const folder = mounted ?? '';
    const { families } = await podSource({ cgroup: folder, proc: '/proc' }).collect(asked());
    const seconds = samplesOf(families).get('container_cpu_usage_seconds_total{cpu="total"}') ?? 0;
    const usec = Number(/^usage_usec (\d+)/m.exec(readFileSync(join(folder, 'cpu.stat'), 'utf8'))?.[1]);
    t.ok(seconds > 0 && seconds <= usec / 1e6);
  },
);
