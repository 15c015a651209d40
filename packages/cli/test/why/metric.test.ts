import type { LineExplanation } from '@outrigger/adapter';
import { test } from 'tap';
import { renderMetric } from '../../src/why/metric.ts';

test('a line’s explanation as text: the rule, the series, the value, the result', (t) => {
  const explanation: LineExplanation = {
    line: 'web.shop.lat:12|ms|@0.1|#code:200,bad',
    is: 'samples',
    errors: ['bad-tag'],
    samples: [
      {
        name: 'web.shop.lat',
        rule: { index: 2, match: 'web.*.lat', matchType: 'glob', action: 'map' },
        series: 'web_lat_seconds',
        labels: { code: '200', site: 'shop' },
        type: 'histogram',
        values: [0.012],
        weight: 10,
        relative: false,
        ttlSeconds: 30,
        result: 'kept',
      },
    ],
  };
  t.equal(
    renderMetric(explanation),
    `web.shop.lat:12|ms|@0.1|#code:200,bad
  rule     mappings[2] glob web.*.lat (map)
  series   web_lat_seconds{code="200", site="shop"} (histogram, forgotten 30 s after the last)
  value    0.012, each for 10
  result   kept
  errors   bad-tag
`,
  );
  const [sample] = explanation.samples;
  if (sample === undefined) throw new Error('no sample');
  const gauge = {
    ...sample,
    rule: null,
    series: 'g',
    labels: {},
    type: 'gauge',
    weight: 1,
    relative: true,
    ttlSeconds: 0,
  } as const;
  t.match(
    renderMetric({ ...explanation, samples: [gauge] }),
    /rule {5}none\n {2}series {3}g \(gauge\)\n.*added to the gauge/,
  );
  t.match(renderMetric({ line: '_sc|a|0', is: 'service-check', errors: [], samples: [] }), /only counted/);
  t.match(
    renderMetric({ line: 'x', is: 'nothing', errors: ['malformed'], samples: [] }),
    /nothing of it.*\n.*malformed/,
  );
  t.end();
});
