import { test } from 'tap';
import { CommandTable } from '../../src/commands/table.ts';
import { RequestFeed } from '../../src/session/feed.ts';
import { command } from './setting.ts';

/** Takes everything a feed shows, accepting all; words for events, and the runs that come out. */
function drive(chunks: readonly string[], maxHeldBytes = 64): { shown: string; runs: string; left: string } {
  const feed = new RequestFeed(new CommandTable(), maxHeldBytes);
  let shown = '';
  let runs = '';
  const take = (): void => {
    const run = feed.takeRun();
    if (run !== undefined) runs += Buffer.from(run).toString('latin1');
  };
  for (const [i, chunk] of chunks.entries()) {
    feed.push(Buffer.from(chunk, 'latin1'));
    for (;;) {
      const event = feed.next();
      if (event === 'more') {
        take();
        if (!feed.turn()) break;
      } else if (event === 'foreign') {
        take();
        const left = Buffer.concat(feed.takeAll()).toString('latin1');
        return {
          shown: `${shown}foreign`,
          runs,
          left: left + chunks.slice(i + 1).join(''),
        };
      } else {
        shown += event === 'frame' ? `${feed.class} ` : `${event} `;
        feed.accept();
      }
    }
  }
  return { shown, runs, left: '' };
}

function* cuts(bytes: string): Generator<string[]> {
  yield [bytes];
  yield [...bytes];
  for (let at = 1; at < bytes.length; at++) yield [bytes.slice(0, at), bytes.slice(at)];
}

test('requests come out as they went in, however they are cut', async (t) => {
  const bytes = [
    command('GET', 'k'),
    command('set', 'k', 'a\r\nb'),
    command('PING'),
    command('CLIENT', 'SETNAME', 'x'),
  ].join('');
  for (const chunks of cuts(bytes)) {
    t.strictSame(drive(chunks), { shown: 'read write other naming ', runs: bytes, left: '' });
  }
});

test('what is not to be routed is left over, from its first byte on', async (t) => {
  const before = command('GET', 'k') + command('SET', 'k', 'v');
  for (const foreign of [
    command('MULTI'),
    command('CLIENT', 'ID'),
    '*0\r\n',
    'PING\r\n',
    '*1\r\n$-1\r\n',
    '\r\n',
    command('GET', 'k').replace('$1', '$x'),
  ]) {
    const rest = foreign + command('GET', 'behind');
    for (const chunks of cuts(before + rest)) {
      const { shown, runs, left } = drive(chunks);
      t.strictSame([shown, runs, left], ['read write foreign', before, rest], JSON.stringify(foreign));
    }
  }
});

test('a large write is streamed, a large read is not to be routed', async (t) => {
  const large = command('SET', 'k', 'x'.repeat(300));
  const behind = command('GET', 'k');
  const pieces = (large + behind).match(/[\s\S]{1,50}/g) ?? [];
  t.strictSame(drive(pieces), { shown: 'large streamed read ', runs: large + behind, left: '' });
  const read = command('GET', 'x'.repeat(300));
  const { shown, runs, left } = drive(read.match(/[\s\S]{1,50}/g) ?? []);
  t.strictSame([shown, runs, left], ['foreign', '', read]);
  for (const chunks of cuts(large)) {
    const { runs: all } = drive(chunks);
    t.equal(all, large, 'whether or not it was streamed');
  }
});

test('broken bytes in the middle of a streamed write are left over behind what was sent', async (t) => {
  const start = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$200\r\n${'x'.repeat(200)}`;
  const { shown, runs, left } = drive([start.slice(0, 100), start.slice(100), 'BROKEN']);
  t.equal(shown, 'large foreign');
  t.equal(runs + left, `${start}BROKEN`);
});

test('a request is shown again until it is accepted', async (t) => {
  const feed = new RequestFeed(new CommandTable(), 64);
  feed.push(Buffer.from(command('GET', 'a') + command('SET', 'a', '1')));
  t.equal(feed.next(), 'more', 'the chunk in hand is the empty one before the first');
  feed.turn();
  t.equal(feed.next(), 'frame');
  t.equal(feed.next(), 'frame');
  t.equal(feed.takeRun(), undefined, 'nothing accepted, nothing to send');
  feed.accept();
  t.equal(feed.next(), 'frame');
  t.equal(feed.class, 'write');
  t.equal(Buffer.from(feed.takeRun() ?? []).toString(), command('GET', 'a'));
  feed.accept();
  t.equal(Buffer.from(feed.takeRun() ?? []).toString(), command('SET', 'a', '1'));
});
