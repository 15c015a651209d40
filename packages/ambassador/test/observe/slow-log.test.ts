import { encodeCommand } from '@outrigger/core/resp';
import { test } from 'tap';
import { CommandTable } from '../../src/commands/table.ts';
import { SlowLog } from '../../src/observe/slow-log.ts';
import type { SlowCommand, SlowLogOptions } from '../../src/observe/slow-log.ts';

const table = new CommandTable();
const defaults: SlowLogOptions = { thresholdMs: 10, entries: 3, keys: false };

function slow(args: readonly string[], durationMs: number): SlowCommand {
  return {
    durationMs,
    wallMs: Date.UTC(2026, 0, 1),
    session: { id: 7, name: 'web', peer: '10.0.0.9:5000' },
    server: '10.0.0.1:6379',
    command: table.named(args[0] ?? '') ?? table.unknown,
    request: encodeCommand(args),
  };
}

test('what is below the threshold is not noted', (t) => {
  const log = new SlowLog(defaults, () => {});
  t.equal(log.isSlow(9.9), false);
  t.equal(log.isSlow(10), true);
  log.configure({ ...defaults, thresholdMs: 1 });
  t.equal(log.isSlow(9.9), true);
  log.configure({ ...defaults, entries: 0 });
  t.equal(log.isSlow(1e9), false, 'nothing is kept, so nothing is slow');
  t.end();
});

test('an entry tells who, where, what and how large, and nothing that is stored', (t) => {
  let counted = 0;
  const log = new SlowLog(defaults, () => counted++);
  log.note(slow(['SET', 'card:4111', 'secret value'], 12.3456));
  const page = log.page();
  t.match(page.entries[0], {
    id: 1,
    time: '2026-01-01T00:00:00.000Z',
    durationMs: 12.346,
    session: 7,
    name: 'web',
    peer: '10.0.0.9:5000',
    server: '10.0.0.1:6379',
    command: 'SET',
    arguments: 3,
    lengths: [9, 12],
    bytes: 47,
  });
  t.notMatch(JSON.stringify(page), /4111|secret/);
  t.equal(counted, 1);
  t.end();
});

test('keys are shown when asked for, and shortened', (t) => {
  const log = new SlowLog({ ...defaults, keys: true }, () => {});
  log.note(slow(['GET', 'k'.repeat(100)], 11));
  log.note(slow(['SET', 'short', 'secret'], 11));
  log.note(slow(['AUTH', 'user', 'password'], 11));
  const [auth, set, get] = log.page().entries;
  t.equal(get?.key, `${'k'.repeat(64)}… (100 bytes)`);
  t.equal(set?.key, 'short');
  t.match(auth, { command: 'AUTH', key: undefined, lengths: undefined }, 'not even the length of a password');
  t.end();
});

test('the latest are kept, and the slowest of all', (t) => {
  const log = new SlowLog(defaults, () => {});
  for (const ms of [10, 99, 11, 12, 13]) log.note(slow(['GET', 'k'], ms));
  const ids = () => log.page().entries.map(({ id }) => id);
  t.same(ids(), [5, 4, 3]);
  t.equal(log.page().total, 5);
  t.equal(log.page().slowest?.durationMs, 99);
  log.configure({ ...defaults, entries: 2 });
  t.same(ids(), [5, 4], 'what still fits stays');
  log.configure({ ...defaults, entries: 4 });
  for (const ms of [14, 15, 16]) log.note(slow(['GET', 'k'], ms));
  t.same(ids(), [8, 7, 6, 5]);
  t.end();
});

test('a request that is no longer at hand, or is not whole, is noted without its arguments', (t) => {
  const log = new SlowLog(defaults, () => {});
  log.note({ ...slow(['GET', 'k'], 20), request: undefined });
  log.note({ ...slow(['GET', 'k'], 20), request: Buffer.from('*2\r\n$3\r\nGE') });
  t.same(
    log.page().entries.map((entry) => [entry.command, entry.arguments, entry.bytes]),
    [
      ['GET', undefined, 10],
      ['GET', undefined, undefined],
    ],
  );
  t.end();
});
