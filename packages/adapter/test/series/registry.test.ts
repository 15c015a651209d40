import { test } from 'tap';
import { SeriesRegistry } from '../../src/series/registry.ts';

const registry = (maxSeries = 100, labels = {}) =>
  new SeriesRegistry({ maxSeries, labels, buckets: [0.1, 1] });

test('one page: names made valid, labels sorted and escaped, common labels overridden by own ones', (t) => {
  const series = registry(100, { pod: 'p', zone: 'z' });
  series.add(
    'web.requests-ok',
    'Requests.',
    [
      ['b', 'x"y\\\n'],
      ['pod', 'mine'],
    ],
    2,
  );
  series.add(
    'web.requests-ok',
    'Requests.',
    [
      ['pod', 'mine'],
      ['b', 'x"y\\\n'],
    ],
    3,
  );
  series.set('9lives', 'Lives.', [], 7);
  series.set('9lives', 'Lives.', [], -2, true);
  t.equal(
    series.render(),
    '# HELP _9lives Lives.\n# TYPE _9lives gauge\n_9lives{pod="p",zone="z"} 5\n' +
      '# HELP web_requests_ok Requests.\n# TYPE web_requests_ok counter\n' +
      'web_requests_ok{b="x\\"y\\\\\\n",pod="mine",zone="z"} 5\n',
  );
  t.equal(series.size, 2);
  t.end();
});

test('histograms are cumulative and weighted', (t) => {
  const series = registry();
  series.observe('t', 'T.', [['k', 'v']], 0.05);
  series.observe('t', 'T.', [['k', 'v']], 0.1, 4);
  series.observe('t', 'T.', [['k', 'v']], 5);
  t.equal(
    series.render().split('\n').slice(2).join('\n'),
    't_bucket{k="v",le="0.1"} 5\nt_bucket{k="v",le="1"} 5\nt_bucket{k="v",le="+Inf"} 6\nt_sum{k="v"} 5.45\nt_count{k="v"} 6\n',
  );
  t.end();
});

test('a name has one type, and nobody may write what a histogram writes', (t) => {
  const series = registry();
  t.equal(series.add('a', '', [], 1), undefined);
  t.equal(series.set('a', '', [], 1), 'type-conflict');
  t.equal(series.observe('lat', '', [], 1), undefined);
  t.equal(series.add('lat_count', '', [], 1), 'type-conflict');
  t.equal(series.add('other_sum', '', [], 1), undefined);
  t.equal(series.observe('other', '', [], 1), 'type-conflict');
  t.end();
});

test('beyond the limit new series are refused and old ones go on', (t) => {
  const series = registry(2);
  t.equal(series.add('a', '', [['k', '1']], 1), undefined);
  t.equal(series.add('a', '', [['k', '2']], 1), undefined);
  t.equal(series.add('a', '', [['k', '3']], 1), 'series-limit');
  t.equal(series.add('a', '', [['k', '1']], 1), undefined);
  t.match(series.render(), /a\{k="1"\} 2\n/);
  t.end();
});
