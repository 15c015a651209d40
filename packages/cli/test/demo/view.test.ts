import { stripVTControlCharacters } from 'node:util';
import { test } from 'tap';
import type { Facts } from '../../src/demo/facts.ts';
import { cut, renderView } from '../../src/demo/view.ts';
import type { Places } from '../../src/demo/view.ts';

const places: Places = {
  control: 'http://127.0.0.1:7080',
  web: '127.0.0.1:8080',
  scrape: '127.0.0.1:9102',
  redis: '127.0.0.1:6380',
  redisMissing: undefined,
};
const endpoint = {
  address: '127.0.0.1:20001',
  status: 'used',
  why: '',
  connections: 0,
  requests: 10,
  pid: 4711,
};
const facts: Facts = {
  controlUp: true,
  endpoints: [
    { ...endpoint, name: 'web-1' },
    {
      ...endpoint,
      name: 'web-2',
      status: 'ejected',
      why: 'ejected for another 29 s after 5 failed dials in a row',
      requests: 3,
    },
  ],
  redis: { reads: 5, writes: 2, onReplica: 4 },
  failures: 1,
};

const plain = (lines: string[]) => lines.map((line) => stripVTControlCharacters(line));

test('80×24: every line fits, nothing of the fixed part is lost', (t) => {
  const events = Array.from({ length: 50 }, (_, i) => `event ${i}`);
  const lines = plain(renderView(facts, places, events, { columns: 80, rows: 24 }));
  t.ok(lines.length <= 23);
  for (const line of lines) t.ok(line.length <= 80, line);
  const text = lines.join('\n');
  t.match(text, /web-1 +127\.0\.0\.1:20001 +ready +10 █/);
  t.match(text, /web-2 +127\.0\.0\.1:20001 +ejected +3/);
  t.match(text, /reads 5 \(4 on the replica\), writes 2 on the primary/);
  for (const wanted of [
    'curl http://127.0.0.1:8080/',
    'kubectl --server http://127.0.0.1:7080',
    'redis-cli -p 6380',
    '/metrics',
    'kill 4711   # web-1 says goodbye',
    'event 49',
  ]) {
    t.ok(text.includes(wanted), wanted);
  }
  t.end();
});

test('what is not there is said: no endpoints, no control service, no Redis', (t) => {
  const none = { ...places, redis: undefined, redisMissing: 'left out: redis-server is not installed' };
  const lines = plain(
    renderView({ ...facts, controlUp: false, endpoints: [], redis: undefined }, none, [], {
      columns: 100,
      rows: 30,
    }),
  );
  const text = lines.join('\n');
  t.match(text, /control down/);
  t.match(text, /no endpoints: connections are refused/);
  t.match(text, /redis-server is not installed/);
  t.notMatch(text, /redis-cli/);
  t.end();
});

test('a line is cut at its visible width, whatever switches colours', (t) => {
  const red = '\u001b[31mred\u001b[39m and more';
  t.equal(stripVTControlCharacters(cut(red, 5)), 'red a');
  t.equal(cut(red, 100), red);
  t.ok(cut(red, 2).includes('\u001b[39m'), 'what was switched on is switched off again');
  t.end();
});
