import type { MetricsSource } from '@outrigger/core/api';
import { FakeClock, systemClock } from '@outrigger/core/clock';
import { eventually, testDeps } from '@outrigger/core/testing';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { tempDir } from '../../../../test/harness/index.ts';
import { goneRestMs, maxFiles } from '../../src/logs/files.ts';
import { logSource } from '../../src/logs/source.ts';
import type { LogDeps, LogSource } from '../../src/logs/source.ts';
import { SourceError } from '../../src/sources/source.ts';
import { newRegistry } from '../series/harness.ts';

type Log = Partial<NonNullable<MetricsSource['log']>>;

interface Followed {
  readonly source: LogSource;
  readonly clock: FakeClock;
  /** Lines counted so far, after everything written was read. */
  readonly lines: () => Promise<number>;
  readonly page: () => Promise<string>;
  /** What was left out since asked last. */
  readonly dropped: () => Promise<Readonly<Record<string, number>>>;
  readonly failure: () => Promise<SourceError>;
}

const asked = () => ({ signal: new AbortController().signal, leftMs: 1000 });

async function follow(
  t: Test,
  files: readonly string[],
  log: Log = {},
  more: Partial<MetricsSource> & { deps?: Partial<LogDeps>; series?: ReturnType<typeof newRegistry> } = {},
): Promise<Followed> {
  const clock = new FakeClock();
  const { deps, series = newRegistry(), ...fields } = more;
  const source = logSource(
    {
      ...{ name: 'app', timeout: '10s', maxSeries: 1000 },
      log: { files: [...files], fromStart: false, maxLineLength: '64KiB', ...log },
      ...fields,
    },
    { ...testDeps({ clock }), clock, store: series.registry, timerBuckets: [0.1, 1], ...deps },
  );
  t.teardown(() => source.close());
  await source.poll();
  return {
    source,
    clock,
    page: async () => (await source.poll(), series.page()),
    lines: async () => {
      await source.poll();
      return Number(/^log_lines_total(?:\{.*\})? (\d+)$/m.exec(await series.page())?.[1] ?? 0);
    },
    dropped: async () => (await source.collect(asked())).dropped ?? {},
    failure: async () => {
      const error = await source.collect(asked()).catch((thrown: unknown) => thrown);
      if (error instanceof SourceError) return error;
      throw new Error('it did not fail');
    },
  };
}

test('what is written from now on is counted, and files from their start where that is asked for', async (t) => {
  const file = join(tempDir(t), 'app.log');
  writeFileSync(file, 'old\nolder\nin the middle of');
  const now = await follow(t, [file]);
  const all = await follow(t, [file], { fromStart: true });
  t.equal(await now.lines(), 0);
  t.equal(await all.lines(), 2, 'a line counts when it has ended');
  appendFileSync(file, ' it\nnew\n');
  t.equal(await now.lines(), 1, 'the end of a line begun before is none');
  t.equal(await all.lines(), 4);
});

test('a file that is renamed away is read to its end, and the one in its place from its start', async (t) => {
  const file = join(tempDir(t), 'app.log');
  writeFileSync(file, '');
  const { lines, source, clock } = await follow(t, [file]);
  appendFileSync(file, '1\n');
  renameSync(file, `${file}.1`);
  appendFileSync(`${file}.1`, '2\n');
  t.equal(await lines(), 2, 'while nothing has its name');
  writeFileSync(file, '3\n4\n');
  appendFileSync(`${file}.1`, '5\n');
  t.equal(await lines(), 5, 'and from the writer that has not noticed yet');
  await clock.advance(goneRestMs);
  await source.poll();
  t.equal(source.positions.length, 1, 'the old one is closed after a while');
  appendFileSync(`${file}.1`, '6\n');
  appendFileSync(file, '7\n');
  t.equal(await lines(), 6);
});

test('a file that is emptied (copytruncate) is begun again', async (t) => {
  const file = join(tempDir(t), 'app.log');
  writeFileSync(file, 'a long line that was there\n');
  const { lines } = await follow(t, [file]);
  appendFileSync(file, 'x\n');
  t.equal(await lines(), 1);
  copyFileSync(file, `${file}.1`);
  truncateSync(file);
  t.equal(await lines(), 1);
  appendFileSync(file, 'y\nz\n');
  t.equal(await lines(), 3);
});

test('a file that is replaced, or removed and made again', async (t) => {
  const folder = tempDir(t);
  const file = join(folder, 'app.log');
  writeFileSync(file, 'old\n');
  const { lines } = await follow(t, [file]);
  writeFileSync(join(folder, 'other'), '1\n2\n');
  renameSync(join(folder, 'other'), file);
  t.equal(await lines(), 2);
  rmSync(file);
  t.equal(await lines(), 2);
  writeFileSync(file, '3\n');
  t.equal(await lines(), 3);
});

test('files by wildcards: renaming within them counts no line twice', async (t) => {
  const folder = tempDir(t);
  const file = join(folder, 'app.log');
  writeFileSync(file, '');
  const { lines } = await follow(t, [join(folder, 'app.log*'), join(folder, '?.txt'), join(folder, 'app.*')]);
  appendFileSync(file, '1\n');
  t.equal(await lines(), 1);
  renameSync(file, `${file}.1`);
  writeFileSync(file, '2\n');
  writeFileSync(join(folder, 'a.txt'), '3\n');
  writeFileSync(join(folder, 'ab.txt'), 'no\n');
  symlinkSync(file, join(folder, 'app.link'));
  t.equal(await lines(), 3);
});

test('a file or folder that is not there yet is waited for', async (t) => {
  const folder = join(tempDir(t), 'later');
  const waiting = await follow(t, [join(folder, 'app.log'), join(folder, '*.txt')]);
  const error = await waiting.failure();
  t.equal(error.class, 'no-endpoint');
  t.match(error.message, 'waiting');
  mkdirSync(folder);
  writeFileSync(join(folder, 'app.log'), '1\n');
  t.equal(await waiting.lines(), 1);
  t.same(await waiting.dropped(), {});
});

test('a pipe, a directory and a device are refused by name; the others are read', async (t) => {
  const folder = tempDir(t);
  const pipe = join(folder, 'pipe.log');
  execFileSync('mkfifo', [pipe]);
  mkdirSync(join(folder, 'dir.log'));
  writeFileSync(join(folder, 'good.log'), '');
  const { failure, lines } = await follow(t, [join(folder, '*.log'), '/dev/null']);
  const error = await failure();
  t.equal(error.class, 'unreachable');
  t.match(error.message, /pipe\.log: it is a named pipe/);
  t.match(error.message, /dir\.log: it is a directory/);
  t.match(error.message, /\/dev\/null: it is a device/);
  appendFileSync(join(folder, 'good.log'), '1\n');
  t.equal(await lines(), 1);
  rmSync(pipe);
  rmSync(join(folder, 'dir.log'), { recursive: true });
  t.notMatch((await failure()).message, 'pipe', 'and no longer once it is gone');
});

test('more files than are followed, and many that cannot be, are told in few words', async (t) => {
  const folder = tempDir(t);
  for (let i = 0; i <= maxFiles; i++) writeFileSync(join(folder, `${String(i).padStart(4, '0')}.log`), '');
  const { failure, source, lines } = await follow(t, [join(folder, '*.log')]);
  t.match((await failure()).message, /more than 256 files, and those from \S+0256\.log on are not read$/);
  t.equal(source.positions.length, maxFiles);
  appendFileSync(join(folder, '0000.log'), '1\n');
  appendFileSync(join(folder, '0256.log'), 'not read\n');
  t.equal(await lines(), 1);
  for (let i = 0; i < 50; i++) mkdirSync(join(folder, `d${i}.txt`));
  const directories = await follow(t, [join(folder, '*.txt')]);
  t.match((await directories.failure()).message, /and 40 more$/);
});

test('a reload goes on where reading stopped, within a line as well', async (t) => {
  const file = join(tempDir(t), 'app.log');
  writeFileSync(file, '');
  const series = newRegistry();
  const first = await follow(t, [file], {}, { series });
  appendFileSync(file, '1\n2\nthe third');
  t.equal(await first.lines(), 2);
  await first.source.close();
  appendFileSync(file, ' line\n4\n');
  const { positions } = first.source;
  const second = await follow(t, [file], {}, { series, deps: { positions } });
  t.equal(await second.lines(), 4);
  truncateSync(file);
  await second.source.close();
  writeFileSync(file, '5\n');
  const third = await follow(t, [file], {}, { series, deps: { positions: second.source.positions } });
  t.equal(await third.lines(), 5, 'one that was emptied meanwhile is begun again');
});

test('long lines are cut, and what is none of the format is counted', async (t) => {
  const file = join(tempDir(t), 'access.log');
  writeFileSync(file, '');
  const { page, dropped } = await follow(t, [file], { format: 'nginx', maxLineLength: '1KiB' });
  const request = '1.2.3.4 - - [x] "GET / HTTP/1.1" 200 10 "-" "agent"';
  appendFileSync(file, `${request} 0.5\n${'x'.repeat(5000)}\n{"json":1}\n${request}\n\0\xff\n`);
  const text = await page();
  t.match(text, 'access_log_requests_total{method="GET",status="200"} 2\n');
  t.match(text, 'access_log_response_bytes_total{method="GET",status="200"} 20\n');
  t.match(text, 'access_log_request_duration_seconds_bucket{method="GET",le="1"} 1\n');
  t.match(text, 'access_log_request_duration_seconds_sum{method="GET"} 0.5\n');
  t.same(await dropped(), { 'long-line': 1, 'bad-line': 3 });
  t.same(await dropped(), {}, 'each is told once');
});

test('rules of every type, labels of the source, relabelling, and series beyond the limit', async (t) => {
  const file = join(tempDir(t), 'app.log');
  writeFileSync(file, '');
  const series = newRegistry({ maxSeries: 4 });
  const { page, dropped } = await follow(
    t,
    [file],
    {
      format: 'json',
      rules: [
        { name: 'logins_total', type: 'counter', scale: 1, labels: { user: '${user}' }, match: '"login"' },
        { name: 'queue', type: 'gauge', scale: 1, value: 'queue.length' },
      ],
    },
    {
      series,
      labels: { app: 'shop' },
      relabel: [
        {
          ...{ action: 'drop', sourceLabels: ['user'], separator: ';', replacement: '$1' },
          regex: 'secret',
        },
      ],
    },
  );
  for (const user of ['a', 'b', 'a', 'secret', 'c', 'd']) {
    appendFileSync(file, `{"event":"login","user":"${user}","queue":{"length":${user.charCodeAt(0)}}}\n`);
  }
  const text = await page();
  t.match(text, 'logins_total{app="shop",user="a"} 2\n');
  t.match(text, 'queue{app="shop"} 100\n');
  t.notMatch(text, 'secret');
  t.same(await dropped(), { 'series-limit': 1 });
});

test('without anybody asking, lines are read soon after they were written', async (t) => {
  const folder = tempDir(t);
  const file = join(folder, 'app.log');
  writeFileSync(file, '');
  const series = newRegistry();
  await follow(t, [file], {}, { series, deps: { clock: systemClock() } });
  appendFileSync(file, '1\n');
  await eventually('the line', async () => (await series.page()).includes('log_lines_total 1'));
});

test('a thousand lines a file of many files, more than one turn reads', async (t) => {
  const folder = tempDir(t);
  const { lines } = await follow(t, [join(folder, '*')]);
  const block = 'a line of some length that is repeated\n'.repeat(30_000);
  for (let i = 0; i < 5; i++) writeFileSync(join(folder, `${i}`), block);
  for (let i = 0; i < 4; i++) appendFileSync(join(folder, '0'), block);
  t.equal(await lines(), 270_000);
});
