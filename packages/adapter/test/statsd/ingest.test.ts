import { seededRandom } from '@outrigger/core/clock';
import { test } from 'tap';
import { Mapper } from '../../src/mapping/mapper.ts';
import { readMapping } from '../../src/mapping/read.ts';
import { Ingest } from '../../src/statsd/ingest.ts';
import type { IngestOptions } from '../../src/statsd/ingest.ts';
import { FakeStore } from './fake-store.ts';

const usual: IngestOptions = {
  tagStyles: new Set(['dogstatsd', 'influxdb', 'librato', 'signalfx']),
  containerId: false,
  mapper: undefined,
  bounds: [0.1, 1],
  maxLineLength: 65_536,
  cacheSize: 1000,
};

function mapperOf(document: unknown): Mapper {
  const read = readMapping(document, [0.1, 1]);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return new Mapper(read.rules);
}

function intake(options: Partial<IngestOptions> = {}, store = new FakeStore()) {
  const ingest = new Ingest({ ...usual, ...options }, store, 42);
  const send = (text: string | Buffer): void => {
    const bytes = Buffer.from(text);
    ingest.lines(bytes, 0, bytes.length);
  };
  return { ingest, store, send, errors: () => Object.fromEntries(ingest.tally.errors) };
}

/** Sent twice: once understood, once remembered. Both must do the same. */
function outcome(line: string, options: Partial<IngestOptions> = {}) {
  const { send, store, errors } = intake(options);
  send(line);
  const once = { series: store.lines(), errors: errors() };
  const again = intake(options);
  again.send(`${line}\n${line}\n`);
  const doubled = Object.fromEntries(Object.entries(once.errors).map(([reason, n]) => [reason, n * 2]));
  return { ...once, doubled, twice: again.errors(), seriesTwice: again.store.size };
}

test('every form of a line', (t) => {
  const cases: [string, string[]][] = [
    ['a.b:1|c', ['a_b 1']],
    ['a--b-c d/é:1|c', ['a_b_c_d__ 1']],
    ['9lives:1|c', ['_9lives 1']],
    ['a:3|c|@0.1', ['a 30']],
    ['a:2.5|g', ['a 2.5']],
    ['a:-2|g', ['a -2']],
    ['a:+2|g|@0.5', ['a 2']],
    ['a:1e3|g', ['a 1000']],
    ['a:.5|g', ['a 0.5']],
    ['a:123456789012345678|g', ['a 123456789012345680']],
    ['a:250|ms', ['a 0.25*1']],
    ['a:35|ms', ['a 0.035*1']],
    ['a:250|ms|@0.25', ['a 0.25*4']],
    ['a:250|ms|@0.3', [`a 0.25*${1 / 0.3}`]],
    ['a:250|h', ['a 250*1']],
    ['a:250|d', ['a 250*1']],
    ['a:user7|s', ['a 1']],
    ['a:x:y|s|#k:v', ['a{k="v"} 1']],
    ['a:1|c:2|c', ['a 3']],
    ['a:1|c|@0.5:2|c', ['a 4']],
    ['a:1|c:2|g', ['a 1']],
    ['a:1:2:3|ms', ['a 0.001*1 0.002*1 0.003*1']],
    ['a:1:2|d|@0.5|#k:v', ['a{k="v"} 1*2 2*2']],
    ['a:1:2:3|c', ['a 6']],
    ['a:1:2:+3|g', ['a 5']],
    ['a:1|c|#k:v,x:y:z', ['a{k="v",x="y:z"} 1']],
    ['a:1|c|##k:v,#x.y:z', ['a{k="v",x_y="z"} 1']],
    ['a:1|c|#k:v|@0.1', ['a{k="v"} 10']],
    ['a:1|c|#k:v,k:w,', ['a{k="w"} 1']],
    ['a:1|c|#k:"q"\\,l:ü', ['a{k="\\"q\\"\\\\",l="ü"} 1']],
    ['a,k=v,x=y=z:1|c', ['a{k="v",x="y=z"} 1']],
    ['a#k=v:1|c', ['a{k="v"} 1']],
    ['a[k=v,x=y].b:1|c', ['a_b{k="v",x="y"} 1']],
    ['a:1|c|#k:v|c:abc', ['a{k="v"} 1']],
    ['a:1|c|c:abc|T1656581400', ['a 1']],
    ['a:1|c|T1656581400|#k:v', ['a{k="v"} 1']],
    ['a:1|c|e:it-1,cn-x|card:low|#k:v', ['a{k="v"} 1']],
    ['  a:1|c  \r', ['a 1']],
    ['a:1|c|@0.5\r', ['a 2']],
  ];
  for (const [line, series] of cases) {
    const { errors, ...found } = outcome(line);
    const conflicts = line === 'a:1|c:2|g' ? { 'type-conflict': 1 } : {};
    t.same({ series: found.series, errors }, { series, errors: conflicts }, line);
    t.same([found.twice, found.seriesTwice], [found.doubled, series.length], `${line} again`);
  }
  t.end();
});

test('what cannot be taken is counted by reason, again and again, and takes nothing else with it', (t) => {
  const cases: [string, Record<string, number>, string[]][] = [
    [':1|c', { malformed: 1 }, []],
    ['a', { malformed: 1 }, []],
    ['a:1', { malformed: 1 }, []],
    ['a:1|', { malformed: 1 }, []],
    ['a:1|c|', { malformed: 1 }, []],
    ['a:1|c||#k:v', { malformed: 1 }, []],
    ['|c', { malformed: 1 }, []],
    ['[k=v]:1|c', { malformed: 1 }, []],
    ['a:1|x', { 'bad-type': 1 }, []],
    ['a:1|C', { 'bad-type': 1 }, []],
    ['a:|c', { 'bad-value': 1 }, []],
    ['a:one|c', { 'bad-value': 1 }, []],
    ['a:1 2|c', { 'bad-value': 1 }, []],
    ['a:0x10|g', { 'bad-value': 1 }, []],
    ['a:Infinity|g', { 'bad-value': 1 }, []],
    ['a:NaN|c', { 'bad-value': 1 }, []],
    ['a:1e999|g', { 'bad-value': 1 }, []],
    ['a:--1|g', { 'bad-value': 1 }, []],
    ['a:1.2.3|g', { 'bad-value': 1 }, []],
    ['a:|s', { 'bad-value': 1 }, []],
    ['a:-1|c', { 'negative-counter': 1 }, []],
    ['a:1::2|ms', { 'bad-value': 1 }, ['a 0.001*1 0.002*1']],
    ['a:1|c|@zero', { 'bad-rate': 1 }, ['a 1']],
    ['a:1|c|@', { 'bad-rate': 1 }, ['a 1']],
    ['a:1|c|@2', { 'bad-rate': 1 }, ['a 1']],
    ['a:1|c|@0', { 'bad-rate': 1 }, ['a 1']],
    ['a:1|c|@-1', { 'bad-rate': 1 }, ['a 1']],
    ['a:1|c|#novalue,k:v', { 'bad-tag': 1 }, ['a{k="v"} 1']],
    ['a:1|c|#:v,k:,,l:w', { 'bad-tag': 3 }, ['a{l="w"} 1']],
    ['a:1|c|#__name__:evil', { 'bad-tag': 1 }, ['a 1']],
    ['a:1|ms|#le:0.5', { 'bad-tag': 1 }, ['a 0.001*1']],
    ['a[k=v:1|c', { 'bad-tag': 1 }, ['a_k_v 1']],
    ['a]k=v[:1|c', { 'bad-tag': 1 }, ['a_k_v_ 1']],
    ['a,k=v:1|c|#x:y', { 'mixed-tags': 1 }, []],
    ['a[k=v]:1|c|#x:y', { 'mixed-tags': 1 }, []],
    ['a:1|c:x|c:3|c', { 'bad-value': 1 }, ['a 4']],
  ];
  for (const [line, expected, series] of cases) {
    const found = outcome(line);
    t.same({ errors: found.errors, series: found.series }, { errors: expected, series }, line);
    t.same(found.twice, found.doubled, `${line} again`);
  }
  const { send, errors, store } = intake();
  send(
    Buffer.from([0x61, 0xff, 0x3a, 0x31, 0x7c, 0x63, 0x0a, 0xc3, 0x28, 0x0a, 0x62, 0x3a, 0x31, 0x7c, 0x63]),
  );
  t.same([errors(), store.lines()], [{ 'not-utf8': 2 }, ['b 1']]);
  t.end();
});

test('lines, empty lines, events and service checks', (t) => {
  const { ingest, send, errors, store } = intake();
  send(
    'a:1|c\n\n  \n\r\na:1|c\r\n_e{5,4}:title|text|#env:x\n_sc|Redis|0|#env:x|m:down\n_sc|x|1\n_e{1,1}:t|x',
  );
  const { lines, events, serviceChecks, samples } = ingest.tally;
  t.match(
    { lines, events, serviceChecks, counters: samples[0] },
    { lines: 6, events: 2, serviceChecks: 2, counters: 2 },
  );
  t.same([errors(), store.lines()], [{}, ['a 2']]);
  t.end();
});

test('tag styles can be switched off, the container becomes a label only when asked for', (t) => {
  const tagStyles = new Set(['dogstatsd'] as const);
  t.same(outcome('a,k=v:1|c', { tagStyles }).series, ['a_k_v 1']);
  t.same(outcome('a#k=v:1|c|#x:y', { tagStyles }).series, ['a_k_v{x="y"} 1']);
  t.same(outcome('a[k=v]:1|c', { tagStyles }).series, ['a_k_v_ 1']);
  t.same(outcome('a:1|c|#x:y', { tagStyles: new Set() }).series, ['a 1']);
  t.same(outcome('a,k=v:1|c|#x:y', { tagStyles: new Set(['influxdb'] as const) }).series, ['a{k="v"} 1']);
  t.same(outcome('a:1|c|#k:v|c:abc-1', { containerId: true }).series, ['a{container_id="abc-1",k="v"} 1']);
  t.end();
});

test('rules of a mapping: name, labels, scale, drop, ttl, help, observers, and what wins', (t) => {
  const mapper = mapperOf({
    defaults: { observer_type: 'histogram', histogram_options: { buckets: [1, 2] }, ttl: '1m' },
    mappings: [
      {
        match: 'web.*.*',
        name: 'web_${2}_total',
        labels: { site: '$1', env: 'rule' },
        help: 'Web.',
        ttl: '5s',
      },
      { match: 'honest.*', name: 'honest', labels: { env: 'rule', id: '$1' }, honor_labels: true },
      { match: 'debug.*', name: 'dropped', action: 'drop' },
      { match: 'kb.*', name: '${1}_bytes', scale: 1024 },
      { match: 'slow', name: 'slow_seconds', observer_type: 'summary' },
      { match: '^(x)?none', match_type: 'regex', name: '$1' },
    ],
  });
  const { send, store, ingest, errors } = intake({ mapper });
  const lines =
    'web.shop.hits:1|c|#env:tag,a:b\nhonest.7:1|c|#env:tag\ndebug.x:1|c\nkb.sent:2|c\nslow:5|ms\nother:3|ms\nnone:1|c\n';
  send(lines + lines);
  t.same(store.lines(), [
    'web_hits_total{a="b",env="rule",site="shop"} 2',
    'honest{env="tag",id="7"} 2',
    'sent_bytes 4096',
    'slow_seconds 0.005*1 0.005*1',
    'other 0.003*1 0.003*1',
  ]);
  t.same(errors(), { 'empty-name': 2 });
  t.same([...ingest.tally.mapping], [8, 2, 2], 'mapped, dropped, unmapped');
  const [web, , , slow, other] = store.specs();
  t.match(web, { help: 'Web.', ttlMs: 5000, type: 'counter', source: 'statsd' });
  t.match(slow, { type: 'summary', summary: { ageBuckets: 5 }, ttlMs: 60_000 });
  t.match(other, { type: 'histogram', bounds: [1, 2], ttlMs: 60_000 });
  t.end();
});

test('series that were forgotten are opened again, and refusals are asked again', (t) => {
  const store = new FakeStore(1);
  const { send, errors } = intake({}, store);
  send('a:1|c\nb:1|c\na:1|c\nb:1|c\n');
  t.same([store.lines(), errors()], [['a 2'], { 'series-limit': 2 }]);
  store.forget('a');
  send('b:1|c\na:1|c\nb:1|c\n');
  t.same([store.lines(), errors()], [['b 2'], { 'series-limit': 3 }]);
  t.end();
});

test('two types under one name, and a name that belongs to a histogram', (t) => {
  const { send, store, errors } = intake();
  send('a:1|c\na:1|g\nt:1|ms\nt_count:1|c\na:1|c\n');
  t.same(store.lines(), ['a 2', 't 0.001*1']);
  t.same(errors(), { 'type-conflict': 1, 'name-conflict': 1 });
  t.end();
});

test('other options hold from the next line on', (t) => {
  const { ingest, send, store } = intake();
  send('a.b:1|c');
  ingest.apply({
    ...usual,
    mapper: mapperOf({ mappings: [{ match: 'a.*', name: 'x', labels: { l: '$1' } }] }),
  });
  send('a.b:1|c');
  t.same(store.lines(), ['a_b 1', 'x{l="b"} 1']);
  t.end();
});

test('lines that are too long are skipped, with the next one unharmed', (t) => {
  const { send, store, errors } = intake({ maxLineLength: 32 });
  send(`${'a'.repeat(64)}:1|c\n${'b'.repeat(64)}\nc:1|c|#k:${'v'.repeat(32)}\nd:1|c`);
  t.same([store.lines(), errors()], [['d 1'], { 'line-too-long': 3 }]);
  t.end();
});

test('a 64 KiB datagram of anything', (t) => {
  const { send, store, errors, ingest } = intake();
  send('a:1|c:'.repeat(10_922));
  send(`${'n'.repeat(32_000)}:${'1|c:'.repeat(8000)}1|c`);
  send(`${'1:'.repeat(32_000)}1|c`);
  send(`t:${'1:'.repeat(32_000)}1|ms`);
  send(`k:1|c|#${'a,'.repeat(32_000)}b:c`);
  send(`g:${'9'.repeat(65_000)}|g`);
  const started = performance.now();
  for (let i = 0; i < 20; i++) send(`p${i}:1|c${'|@'.repeat(32_000)}`);
  t.ok(performance.now() - started < 2000, 'parts are not read again and again');
  send(`${'n'.repeat(1025)}:1|c`);
  t.match(errors(), { 'line-too-long': 1, 'name-too-long': 1, 'bad-tag': 32_000 });
  t.equal(ingest.tally.samples[2], 32_001);
  t.ok(store.size < 50);
  t.end();
});

test('binary noise and mutated lines: nothing throws, and every line is accounted for', (t) => {
  const random = seededRandom(7);
  const { ingest, store } = intake({
    cacheSize: 64,
    mapper: mapperOf({ mappings: [{ match: 'a.*', name: 'm_$1' }] }),
  });
  const good =
    'a.b:1|c\na.b:2.5|g|#k:v,l:w\nt:1:2:3|ms|@0.1\ns:x|s|c:id|T17\nx,k=v:1|h\n_e{1,1}:a|b\n_sc|a|0\n';
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(good.repeat(3));
    const changes = Math.floor(random.next() * 40);
    for (let i = 0; i < changes; i++) {
      bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256);
    }
    const noise = round % 3 === 0 ? bytes.map(() => Math.floor(random.next() * 256)) : bytes;
    ingest.lines(Buffer.from(noise), 0, noise.length);
  }
  const { tally } = ingest;
  const failed = [...tally.errors.values()].reduce((sum, count) => sum + count, 0);
  const taken = tally.samples.reduce((sum, count) => sum + count, 0) + tally.events + tally.serviceChecks;
  t.ok(
    taken + failed + (tally.mapping[1] ?? 0) >= tally.lines,
    `${taken} taken, ${failed} failed, ${tally.lines} lines`,
  );
  for (const spec of store.specs()) {
    t.match(spec.name, /^[a-zA-Z_][a-zA-Z0-9_]*$/);
    if (!spec.labels.every(([name]) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name))) t.fail(JSON.stringify(spec));
  }
  t.end();
});

test('a million distinct names: the cache keeps its size, and what is in use stays remembered', (t) => {
  const store = new FakeStore(1000);
  const { ingest, send, errors } = intake({ cacheSize: 1000 }, store);
  send('steady:1|c');
  const before = ingest.cache.bytes;
  let missed = 0;
  for (let i = 0; i < 1_000_000; i += 50) {
    send(Array.from({ length: 50 }, (_, j) => `hostile.${i + j}.name:1|c`).join('\n'));
    const misses = ingest.tally.cacheMisses;
    send('steady:1|c');
    missed += ingest.tally.cacheMisses - misses;
  }
  t.equal(ingest.cache.bytes, before);
  t.ok(ingest.cache.size <= 4096, `${ingest.cache.size} keys`);
  t.equal(store.size, 1000);
  t.equal(errors()['series-limit'], 1_000_000 - 999);
  t.ok(missed < 1000, `the steady one was understood ${missed} times in 20,000`);
  t.equal(store.lines()[0], 'steady 20001');
  t.end();
});

test('a number that its rate or a scale makes infinite spoils nothing', (t) => {
  const mapper = mapperOf({ mappings: [{ match: 'scaled.*', name: 'scaled', scale: 1e300 }] });
  for (const type of ['c', 'h', 'ms']) {
    const { send, store, errors } = intake();
    send(`a:1|${type}\na:1e308|${type}|@1e-9\na:2|${type}`);
    t.strictSame(errors(), { 'bad-value': 1 });
    t.notMatch(store.lines().join(), 'Infinity');
  }
  const { send, store, errors } = intake({ mapper });
  send('scaled.a:1|g\nscaled.a:1e300|g');
  t.strictSame(store.lines(), ['scaled 1e+300']);
  t.strictSame(errors(), { 'bad-value': 1 });
  t.end();
});
