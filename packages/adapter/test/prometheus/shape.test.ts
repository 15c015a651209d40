import { test } from 'tap';
import type { RelabelRule } from '@outrigger/core/api';
import { parsePage } from '../../src/prometheus/parse.ts';
import { compileRelabel } from '../../src/prometheus/relabel.ts';
import { shapeAnswer } from '../../src/prometheus/shape.ts';
import type { Shaping } from '../../src/prometheus/shape.ts';

function shape(page: string, shaping: Partial<Shaping>, rules?: Partial<RelabelRule>[]): unknown {
  const full = rules?.map((rule): RelabelRule => ({
    ...{ action: 'replace', separator: ';', regex: '(.*)', replacement: '$1' },
    ...rule,
  }));
  const { families, dropped } = shapeAnswer(
    parsePage(page, page.includes('# EOF') ? 'openmetrics' : 'text'),
    {
      labels: {},
      honorLabels: true,
      ...(full === undefined ? {} : { relabel: compileRelabel(full) }),
      ...shaping,
    },
  );
  const shown = families.map(({ name, type, samples }) => ({
    [`${name} ${type}`]: samples.map(
      ({ suffix, labels, value }) => `${suffix}{${labels.map((pair) => pair.join('=')).join(',')}} ${value}`,
    ),
  }));
  return { shown, dropped: dropped ?? {} };
}

test('labels are added; whose win is said', (t) => {
  const page = 'a{source="own",x="1"} 1\nb 2\n';
  const labels = { source: 'app', pod: 'p', none: '' };
  t.same(shape(page, { labels }), {
    shown: [{ 'a unknown': ['{source=own,x=1,pod=p} 1'] }, { 'b unknown': ['{source=app,pod=p} 2'] }],
    dropped: {},
  });
  t.same(shape(page, { labels, honorLabels: false }), {
    shown: [
      { 'a unknown': ['{source=app,x=1,exported_source=own,pod=p} 1'] },
      { 'b unknown': ['{source=app,pod=p} 2'] },
    ],
    dropped: {},
  });
  t.same(shape('a{s="1",exported_s="2"} 1', { labels: { s: 'x' }, honorLabels: false }), {
    shown: [{ 'a unknown': ['{s=x,exported_s=2,exported_exported_s=1} 1'] }],
    dropped: {},
  });
  t.end();
});

const histogram = [
  '# TYPE h histogram',
  'h_bucket{le="1.0"} 1',
  'h_bucket{le="+Inf"} 2',
  'h_sum 3',
  'h_count 2',
  '# TYPE c counter',
  'c_total 1',
  'c_created 7',
  '# EOF',
  '',
].join('\n');

test('renamed samples find their families again', (t) => {
  const rename = { sourceLabels: ['__name__'], targetLabel: '__name__', replacement: 'app_$1' };
  t.same(shape(histogram, {}, [rename]), {
    shown: [
      { 'app_h histogram': ['_bucket{le=1.0} 1', '_bucket{le=+Inf} 2', '_sum{} 3', '_count{} 2'] },
      { 'app_c_total counter': ['{} 1', '_created{} 7'] },
    ],
    dropped: {},
  });
  const flat = {
    sourceLabels: ['__name__'],
    regex: 'h_sum',
    targetLabel: '__name__',
    replacement: 'h_seconds',
  };
  t.match(shape(histogram, {}, [flat]), { shown: [{}, { 'h_seconds unknown': ['{} 3'] }, {}] });
  t.end();
});

test('what rules leave without a name, or make alike, is counted and left out', (t) => {
  const page = 'a{x="1"} 1\na{x="2"} 2\nb 3\nc 4\n# TYPE d counter\nd 5\n';
  t.same(
    shape(page, {}, [
      { action: 'labeldrop', regex: 'x' },
      { action: 'drop', sourceLabels: ['__name__'], regex: 'b' },
      { sourceLabels: ['__name__'], regex: 'c', targetLabel: '__name__', replacement: '' },
      { sourceLabels: ['__name__'], regex: 'd', targetLabel: '__name__', replacement: 'a' },
      { targetLabel: '__tmp', replacement: 'gone' },
    ]),
    {
      shown: [{ 'a unknown': ['{} 1'] }],
      dropped: { duplicate: 1, 'relabelled-away': 1, 'no-name': 1, 'type-conflict': 1 },
    },
  );
  t.end();
});

test('with nothing to do nothing is done', (t) => {
  const answer = parsePage('a 1\n', 'text');
  t.equal(shapeAnswer(answer, { labels: {}, honorLabels: true }), answer);
  t.end();
});
