import { test } from 'tap';
import { CommandTable } from '../../src/commands/table.ts';
import { RequestFeed } from '../../src/session/feed.ts';
import { command } from './setting.ts';

/** Takes everything a feed shows, accepting all; words for events, and the runs that come out. */
function drive(chunks: readonly string[], maxHeldBytes = 64): { shown: string; runs: string; left: string } {
  const feed = new RequestFeed(new CommandTable(), maxHeldBytes, {});
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
        shown += event === 'frame' ? `${feed.command?.route} ` : `${event} `;
        take();
        if (event === 'empty') feed.drop();
        else feed.accept();
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
    'PING\r\n',
    command('CLIENT', 'SETNAME', 'x'),
    command('NEVERHEARDOF'),
  ].join('');
  for (const chunks of cuts(bytes)) {
    t.strictSame(drive(chunks), { shown: 'read write read local undefined ', runs: bytes, left: '' });
  }
});

test('empty requests are shown to be dropped', async (t) => {
  const [one, two] = [command('GET', 'a'), command('GET', 'b')];
  for (const chunks of cuts(`${one}\r\n*0\r\n${two}*-1\r\n`)) {
    t.strictSame(drive(chunks), { shown: 'read empty empty read empty ', runs: one + two, left: '' });
  }
});

test('what is malformed is left over, from its first byte on', async (t) => {
  const before = command('GET', 'k') + command('SET', 'k', 'v');
  for (const foreign of ['*1\r\n$-1\r\n', '*x\r\n', command('GET', 'k').replace('$1', '$x')]) {
    const rest = foreign + command('GET', 'behind');
    for (const chunks of cuts(before + rest)) {
      const { shown, runs, left } = drive(chunks);
      t.strictSame([shown, runs, left], ['read write foreign', before, rest], JSON.stringify(foreign));
    }
  }
});

test('a large request is streamed', async (t) => {
  const large = command('SET', 'k', 'x'.repeat(300));
  const behind = command('GET', 'k');
  const pieces = (large + behind).match(/[\s\S]{1,50}/g) ?? [];
  t.strictSame(drive(pieces), { shown: 'large streamed read ', runs: large + behind, left: '' });
  for (const chunks of cuts(large)) {
    const { runs: all } = drive(chunks);
    t.equal(all, large, 'whether or not it was streamed');
  }
});

test('a request that says it will be large is shown before more of it comes', async (t) => {
  const settle = (feed: RequestFeed): string => {
    let event = feed.next();
    while (event === 'more' && feed.turn()) event = feed.next();
    return event;
  };
  const large = command('SET', 'k', 'x'.repeat(65));
  const begun = large.slice(0, large.indexOf('x'));
  for (let at = 1; at <= begun.length; at++) {
    const feed = new RequestFeed(new CommandTable(), 64, {});
    feed.push(Buffer.from(begun.slice(0, at)));
    t.equal(settle(feed), at < begun.length ? 'more' : 'large', `after ${at} bytes`);
  }
  const feed = new RequestFeed(new CommandTable(), 64, {});
  feed.push(Buffer.from(command('GET', 'a') + begun));
  t.equal(settle(feed), 'frame');
  feed.accept();
  t.equal(settle(feed), 'large');
  t.equal(
    Buffer.from(feed.takeRun() ?? []).toString(),
    command('GET', 'a'),
    'what is before it can go first',
  );
  t.equal(feed.next(), 'large');
  feed.accept();
  t.equal(Buffer.from(feed.takeRun() ?? []).toString(), begun);

  const fits = new RequestFeed(new CommandTable(), 64, {});
  fits.push(Buffer.from(command('SET', 'k', 'x'.repeat(30)).slice(0, 30)));
  t.equal(settle(fits), 'more');
});

test('a large request may be waited for instead, and dropped in parts', async (t) => {
  const large = command('SET', 'k', 'x'.repeat(300));
  const behind = command('GET', 'k');
  const feed = new RequestFeed(new CommandTable(), 64, {});
  const settle = (): string => {
    let event = feed.next();
    while (event === 'more' && feed.turn()) event = feed.next();
    return event;
  };
  feed.push(Buffer.from(large.slice(0, 100)));
  t.equal(settle(), 'large');
  feed.wantWhole();
  t.equal(settle(), 'more');
  t.equal(feed.heldBytes, 100);
  feed.push(Buffer.from(large.slice(100)));
  t.equal(settle(), 'frame');
  t.equal(Buffer.from(feed.frame()).toString(), large);
  feed.drop();
  t.equal(settle(), 'more');
  t.ok(feed.idle);

  feed.push(Buffer.from(large.slice(0, 100)));
  t.equal(settle(), 'large');
  feed.drop();
  t.ok(feed.streaming);
  feed.push(Buffer.from(large.slice(100, 200)));
  t.equal(settle(), 'more');
  feed.takeRun();
  feed.push(Buffer.from(large.slice(200) + behind));
  t.equal(settle(), 'streamed');
  feed.accept();
  feed.takeRun();
  t.notOk(feed.streaming);
  t.equal(settle(), 'frame');
  t.equal(Buffer.from(feed.frame()).toString(), behind);
});

test('what is put back comes first, in front of half a request', async (t) => {
  const [one, two, three] = [command('GET', 'a'), command('GET', 'b'), command('SET', 'c', 'd')];
  for (let at = 0; at <= three.length; at++) {
    const feed = new RequestFeed(new CommandTable(), 64, {});
    let seen = '';
    const read = (): void => {
      for (let event = feed.next(); event !== 'more' || feed.turn(); event = feed.next()) {
        if (event === 'more') continue;
        seen += Buffer.from(feed.frame()).toString();
        feed.drop();
      }
    };
    feed.push(Buffer.from(three.slice(0, at)));
    read();
    feed.putBack([Buffer.from(one), Buffer.from(two)]);
    read();
    feed.push(Buffer.from(three.slice(at)));
    read();
    t.equal(seen, at === three.length ? three + one + two : one + two + three, `cut at ${at}`);
    t.ok(feed.idle);
  }
});

test('broken bytes in the middle of a streamed write are left over behind what was sent', async (t) => {
  const start = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$200\r\n${'x'.repeat(200)}`;
  const { shown, runs, left } = drive([start.slice(0, 100), start.slice(100), 'BROKEN']);
  t.equal(shown, 'large foreign');
  t.equal(runs + left, `${start}BROKEN`);
});

test('a request is shown again until it is accepted', async (t) => {
  const feed = new RequestFeed(new CommandTable(), 64, {});
  feed.push(Buffer.from(command('GET', 'a') + command('SET', 'a', '1')));
  t.equal(feed.next(), 'more', 'the chunk in hand is the empty one before the first');
  feed.turn();
  t.equal(feed.next(), 'frame');
  t.equal(feed.next(), 'frame');
  t.equal(feed.takeRun(), undefined, 'nothing accepted, nothing to send');
  feed.accept();
  t.equal(feed.next(), 'frame');
  t.equal(feed.command?.route, 'write');
  t.equal(Buffer.from(feed.takeRun() ?? []).toString(), command('GET', 'a'));
  feed.accept();
  t.equal(Buffer.from(feed.takeRun() ?? []).toString(), command('SET', 'a', '1'));
});
