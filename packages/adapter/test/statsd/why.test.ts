import { test } from 'tap';
import { Mapper } from '../../src/mapping/mapper.ts';
import { readMapping } from '../../src/mapping/read.ts';
import { Ingest } from '../../src/statsd/ingest.ts';
import type { IngestOptions } from '../../src/statsd/ingest.ts';
import { explainLine } from '../../src/statsd/why.ts';
import { FakeStore } from './fake-store.ts';

const read = readMapping(
  {
    defaults: { observer_type: 'histogram' },
    mappings: [
      { match: 'debug.*', name: 'dropped', action: 'drop' },
      { match: 'web.*.hits', name: 'web_hits_total', labels: { site: '$1' }, scale: 2, ttl: '30s' },
      { match: '^none', match_type: 'regex', name: '$1' },
    ],
  },
  [1],
);
const options: IngestOptions = {
  tagStyles: new Set(['dogstatsd', 'influxdb', 'librato', 'signalfx']),
  containerId: false,
  mapper: 'rules' in read ? new Mapper(read.rules) : undefined,
  bounds: [1],
  maxLineLength: 65_536,
  cacheSize: 10,
};

function world() {
  const store = new FakeStore();
  const ingest = new Ingest(options, store, 1);
  return { store, ingest, why: (line: string) => explainLine(line, ingest.resolver, store) };
}

test('which rule hit, and what becomes of the line', (t) => {
  const { why, store } = world();
  t.same(why('web.shop.hits:3|c|@0.5|#code:200'), {
    line: 'web.shop.hits:3|c|@0.5|#code:200',
    is: 'samples',
    errors: [],
    samples: [
      {
        name: 'web.shop.hits',
        rule: { index: 1, match: 'web.*.hits', matchType: 'glob', action: 'map' },
        series: 'web_hits_total',
        labels: { code: '200', site: 'shop' },
        type: 'counter',
        values: [6],
        weight: 2,
        relative: false,
        ttlSeconds: 30,
        result: 'kept',
      },
    ],
  });
  t.match(why('debug.x:1|c').samples[0], {
    rule: { index: 0, action: 'drop' },
    series: null,
    result: 'dropped',
  });
  t.match(why('none:1|c'), {
    errors: ['empty-name'],
    samples: [{ result: 'empty-name', rule: { matchType: 'regex' } }],
  });
  t.match(why('t:1:2|ms').samples[0], { rule: null, series: 't', type: 'histogram', values: [0.001, 0.002] });
  t.match(why('g:-1|g').samples[0], { relative: true, values: [-1] });
  t.match(why('u:ann|s').samples[0], { type: 'gauge', values: ['ann'] });
  t.match(why('_sc|x|0'), { is: 'service-check', samples: [] });
  t.match(why('_e{1,1}:a|b'), { is: 'event' });
  t.match(why('a:1|c\nb:1|c'), { is: 'nothing', errors: [/several lines/] });
  t.equal(store.size, 0, 'asking makes nothing');
  t.end();
});

test('the explanation agrees with what happens', (t) => {
  const lines = [
    ...[
      'a:1|c',
      'a:1|g',
      'a',
      'a:1|x',
      'a:1|c|',
      'b:1|c:x|c:2|c',
      'b:1|c|@9',
      'b:-1|c',
      'b:|s',
      'b:u|s',
      'c:+1|g',
    ],
    ...[
      'd:1:2:x|ms|@0.1',
      'e,k=v:1|c|#l:w',
      'e:1|c|#bad,k:v,__x:y',
      'web.a.hits:1|c',
      'debug.a:1|c',
      'none:1|c',
    ],
    ...[
      'f:1|ms',
      'f_count:1|c',
      'f:1|ms|#le:1',
      '[k=v]:1|c',
      'g:1|c|c:id|T17|e:x',
      'g:1|c|@0.5:3|c',
      'h:NaN|g',
      'i:1:1e308|ms|@1e-9',
    ],
  ];
  const { why, ingest, store } = world();
  for (const line of lines) {
    const before = new Map(ingest.tally.errors);
    const taken = (): number => ingest.tally.samples.reduce((sum, count) => sum + count, 0);
    const takenBefore = taken();
    const told = why(line);
    const bytes = Buffer.from(line);
    ingest.lines(bytes, 0, bytes.length);
    const errors = [...ingest.tally.errors].flatMap(([reason, count]) =>
      Array.from({ length: count - (before.get(reason) ?? 0) }, () => reason),
    );
    t.same([...told.errors].sort(), errors.sort(), line);
    const kept = told.samples.filter(({ result }) => result === 'kept');
    t.equal(
      kept.reduce((sum, { values }) => sum + values.length, 0),
      taken() - takenBefore,
      `${line}: samples`,
    );
    for (const { series } of kept)
      t.ok(
        store.specs().some(({ name }) => name === series),
        `${line}: ${series}`,
      );
  }
  t.end();
});
