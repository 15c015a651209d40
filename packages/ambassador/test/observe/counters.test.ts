import { Metrics } from '@outrigger/core/metrics';
import { test } from 'tap';
import { EngineCounters } from '../../src/observe/counters.ts';
import { Bytes, Class, classOf, Fallback, Held, Phase, Place, Rejection } from '../../src/observe/names.ts';

const commands = [
  { name: 'GET', route: 'read' },
  { name: 'SET', route: 'write' },
  { name: 'CLIENT|SETNAME', route: 'local' },
] as const;

function counters(maxServerSeries?: number) {
  const metrics = new Metrics({ processMetrics: false });
  const engine = new EngineCounters({
    metrics,
    command: (index) => commands[index],
    ...(maxServerSeries === undefined ? {} : { maxServerSeries }),
  });
  return { engine, page: () => metrics.page() };
}

test('commands are counted by name, class and route, and only those that were sent are shown', async (t) => {
  const { engine, page } = counters();
  engine.sent(0, Place.replica);
  engine.sent(0, Place.replica);
  engine.sent(0, Place.primary);
  engine.sent(2, Place.local);
  const lines = (await page())
    .split('\n')
    .filter((line) => line.startsWith('outrigger_ambassador_commands_total'));
  t.same(lines.sort(), [
    'outrigger_ambassador_commands_total{command="client|setname",class="other",route="local"} 1',
    'outrigger_ambassador_commands_total{command="get",class="read",route="primary"} 1',
    'outrigger_ambassador_commands_total{command="get",class="read",route="replica"} 2',
  ]);
});

test('what is counted appears where it belongs', async (t) => {
  const { engine, page } = counters();
  const server = engine.servers.index('10.0.0.1:6379');
  engine.answered(Class.read, server, 0.001, 5);
  engine.errorReply(server);
  engine.rejected(Rejection.readonly, server);
  engine.upstreamError(server, Phase.dial);
  engine.fallback(Fallback.fence);
  engine.held(Held.election);
  engine.failoverWaited(0.5, 3);
  engine.bytes(Bytes.toClient, 700);
  engine.pin('multi');
  engine.pin('multi');
  engine.unpin('multi');
  engine.refused('noPrimary');
  const text = await page();
  for (const line of [
    'reply_seconds_count{class="read",server="10.0.0.1:6379"} 5',
    'error_replies_total{server="10.0.0.1:6379"} 1',
    'rejections_total{kind="readonly",server="10.0.0.1:6379"} 1',
    'upstream_errors_total{server="10.0.0.1:6379",phase="dial"} 1',
    'fallbacks_total{reason="fence"} 1',
    'fallbacks_total{reason="lag"} 0',
    'held_total{reason="election"} 1',
    'failover_wait_seconds_count 3',
    'bytes_total{peer="client",direction="out"} 700',
    'pins_total{reason="multi"} 2',
    'pinned_sessions{reason="multi"} 1',
    'refused_total{reason="noPrimary"} 1',
  ]) {
    t.ok(text.includes(`outrigger_ambassador_${line}\n`), line);
  }
});

test('a server that is gone leaves the page, and who gets its number starts from zero', async (t) => {
  const { engine, page } = counters();
  const gone = engine.servers.index('a:1');
  engine.errorReply(gone);
  engine.answered(Class.write, gone, 0.1, 1);
  engine.forgetServer('a:1');
  t.notMatch(await page(), /server="a:1"/);
  const next = engine.servers.index('b:1');
  t.equal(next, gone, 'the number is used again');
  engine.errorReply(next);
  t.match(await page(), /error_replies_total\{server="b:1"\} 1\n/);
  engine.forgetServer('never seen');
});

test('servers beyond the limit are counted together', async (t) => {
  const { engine, page } = counters(1);
  engine.errorReply(engine.servers.index('a:1'));
  engine.errorReply(engine.servers.index('b:1'));
  engine.errorReply(engine.servers.index('c:1'));
  const text = await page();
  t.match(text, /error_replies_total\{server="a:1"\} 1\n/);
  t.match(text, /error_replies_total\{server="\(other\)"\} 2\n/);
  engine.forgetServer('a:1');
  t.not(engine.servers.index('b:1'), 0, 'there is room again');
});

test('every route has a class', (t) => {
  t.equal(classOf('read'), Class.read);
  t.equal(classOf('scriptRead'), Class.script);
  t.equal(classOf('wait'), Class.blocking);
  t.equal(classOf('cursor'), Class.other);
  t.end();
});
