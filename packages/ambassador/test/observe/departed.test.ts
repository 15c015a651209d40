import { test } from 'tap';
import { Metrics } from '@outrigger/core/metrics';
import { EngineCounters } from '../../src/observe/counters.ts';
import { Departed } from '../../src/observe/departed.ts';
import { Phase } from '../../src/observe/names.ts';

function house() {
  const metrics = new Metrics();
  const engine = new EngineCounters({ metrics, command: () => undefined });
  return { engine, departed: new Departed(engine), page: () => metrics.page() };
}

test('a server keeps its series for a time after it is gone, and for good if it comes back', async (t) => {
  const { engine, departed, page } = house();
  const there = new Set(['a:1', 'b:1']);
  for (const name of there) engine.errorReply(engine.servers.index(name));
  const look = (nowMs: number): boolean => departed.look((name) => there.has(name), nowMs, 100);
  t.notOk(look(0), 'nobody is gone');
  there.clear();
  t.ok(look(10));
  there.add('b:1');
  t.ok(look(60), 'a is to be forgotten yet');
  there.delete('b:1');
  look(109);
  t.match(await page(), /server="a:1"/, 'not yet');
  t.ok(look(110));
  t.notMatch(await page(), /server="a:1"/);
  t.match(
    await page(),
    /error_replies_total\{server="b:1"\} 1\n/,
    'counted from when it went the second time',
  );
  t.notOk(look(209));
  t.notMatch(await page(), /server="b:1"/);
});

test('of many that come and go none is left', async (t) => {
  const { engine, departed, page } = house();
  for (let i = 0; i < 1_000; i++) {
    const name = `pod-${i}:6379`;
    const index = engine.servers.index(name);
    engine.upstreamError(index, Phase.open);
    engine.errorReply(index);
    departed.look((one) => one === name, i, 10);
  }
  t.ok([...engine.servers.names].length <= 12);
  t.notMatch(await page(), /\(other\)/, 'and none had to be counted with others');
  departed.look(() => false, 1_000, 10);
  departed.look(() => false, 1_010, 10);
  t.strictSame([...engine.servers.names], []);
  t.notMatch(await page(), /pod-/);
});
