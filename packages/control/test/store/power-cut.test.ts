import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import type { Test } from 'tap';
import { needs, startProcess, tempDir, toolPath } from '../../../../test/harness/index.ts';
import { LogDatabase } from '../../src/store/database.ts';
import type { StoredValue } from '../../src/store/index.ts';
import { lossesIn, lostWrites, parseAcknowledged, writerCommand } from './crash.ts';
import { powerCuts, tracedCalls } from './traced-disk.ts';

const seed = 7;
const writers = 8;

test('the power may fail at any instant', needs('strace'), async (t) => {
  const folder = tempDir(t);
  const dir = join(folder, 'data');
  const trace = await traceWriters(t, folder, 30);
  const { problems, cuts, acknowledged } = examine(trace, dir);
  t.strictSame(problems, [], `seed ${seed}`);
  t.equal(acknowledged, writers * 30, 'the last cut is after the last acknowledgement');
  t.ok(cuts > 100, `${cuts} cuts`);
  const emptied = syncsOf('outrigger.db', trace).length;
  t.ok(emptied > 1, `the write-ahead log was emptied ${emptied} times on the way`);

  const careless = trace.replaceAll(/^.* f(?:data)?sync.*\n/gm, '');
  t.ok(examine(careless, dir).problems.length > 50, 'without any sync this test would fail');
  const neglected = new Set(syncsOf('outrigger.db', trace));
  const lines = trace.split('\n').filter((line) => !neglected.has(line));
  t.ok(
    examine(lines.join('\n'), dir).problems.length > 0,
    'and so it would were only the database itself not synced',
  );
});

test(
  'a sync that failed acknowledges nothing, and a later one is as good as any',
  needs('strace'),
  async (t) => {
    const folder = tempDir(t);
    const trace = await traceWriters(t, folder, 30, '-e', 'inject=fsync,fdatasync:error=EIO:when=25..60+7');
    const { problems, acknowledged, refused } = examine(trace, join(folder, 'data'));
    t.strictSame(problems, [], `seed ${seed}`);
    t.ok(refused > 0 && acknowledged > 0, `${refused} refused, ${acknowledged} acknowledged`);
    t.equal(refused + acknowledged, writers * 30);
  },
);

test('a write-ahead log that cannot be emptied does not grow without end', needs('strace'), async (t) => {
  const folder = tempDir(t);
  const dir = join(folder, 'data');
  const path = join(dir, 'outrigger.db');
  // Making the tables takes a few writes to the database; from then on only checkpoints write to it.
  const failing = [
    '-P',
    path,
    '-e',
    'trace=pwrite64',
    '-e',
    'inject=pwrite64:error=EIO:when=20+',
    '-o',
    join(folder, 'trace'),
  ];
  const args = ['-f', '-qq', '--seccomp-bpf', ...failing, ...writerCommand(dir, writers, 300)];
  const child = await startProcess(t, toolPath('strace'), args);
  t.equal((await child.exited).code, 0, child.stderr);
  const acknowledged = parseAcknowledged(child.stdout);
  const refused = child.stdout.split('refused STORE_READ_ONLY\n').length - 1;
  t.ok(acknowledged.length > 500 && refused > 100, `${acknowledged.length} acknowledged, ${refused} refused`);
  t.ok(statSync(`${path}-wal`).size < 3 * 1024 * 1024, 'closing could not empty it either');
  t.strictSame(await lossesIn(dir, acknowledged), [], 'and all of it is there on a disk that is well');
});

/** Runs writers under strace until they are done; the trace. */
async function traceWriters(t: Test, folder: string, rounds: number, ...more: string[]): Promise<string> {
  const log = join(folder, 'trace');
  const options = [
    '-f',
    '-qq',
    '--seccomp-bpf',
    '-xx',
    '-s',
    '1000000',
    '-e',
    `trace=${tracedCalls}`,
    '-o',
    log,
  ];
  const command = writerCommand(join(folder, 'data'), writers, rounds);
  const child = await startProcess(t, toolPath('strace'), [...options, ...more, ...command]);
  const { code } = await child.exited;
  t.equal(code, 0, child.stderr);
  return readFileSync(log, 'utf8');
}

interface Examined {
  readonly problems: string[];
  readonly cuts: number;
  readonly acknowledged: number;
  readonly refused: number;
}

/** Opens the database as every power cut would have left it. */
function examine(trace: string, dir: string): Examined {
  const scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'or-'));
  const problems: string[] = [];
  let cuts = 0;
  let acknowledged = 0;
  let refused = 0;
  for (const { output, synced, torn } of powerCuts(trace, dir, seededRandom(seed))) {
    const promised = parseAcknowledged(output);
    acknowledged = promised.length;
    refused = output.split('refused STORE_READ_ONLY\n').length - 1;
    for (const files of [synced, torn]) {
      cuts++;
      const items = readAfterCut(scratch, files);
      problems.push(...(typeof items === 'string' ? [items] : lostWrites(items, promised)));
    }
  }
  rmSync(scratch, { recursive: true });
  return { problems, cuts, acknowledged, refused };
}

/** The newest value of every key; or why the database could not be read. */
function readAfterCut(scratch: string, files: ReadonlyMap<string, Buffer>): StoredValue[] | string {
  const dir = mkdtempSync(join(scratch, 'cut-'));
  try {
    for (const [name, content] of files) writeFileSync(join(dir, name), content);
    const database = new LogDatabase({
      path: join(dir, 'outrigger.db'),
      epoch: '',
      walBytes: 1,
      now: () => 0,
    });
    const newest = new Map<string, StoredValue>();
    for (const { id, key, createRevision, value } of database.load(0, Number.POSITIVE_INFINITY)) {
      if (value === undefined) newest.delete(key);
      else newest.set(key, { key, value, createRevision, modRevision: Math.floor(id / 1024) });
    }
    database.close();
    return [...newest.values()];
  } catch (error) {
    return String(error);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The lines of a trace that sync a file. */
function syncsOf(name: string, trace: string): string[] {
  const path = [...Buffer.from(`/${name}`)]
    .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
    .join('');
  const syncs: string[] = [];
  let fd = '';
  for (const line of trace.split('\n')) {
    const opened = /openat\(\w+, "([^"]*)".* = (\d+)$/.exec(line);
    if (opened?.[1]?.endsWith(path)) fd = opened[2] ?? '';
    else if (opened?.[2] === fd) fd = '';
    if (fd !== '' && line.includes(`sync(${fd})`)) syncs.push(line);
  }
  return syncs;
}
