/** A real Prometheus scrapes and relabels the same page by the same rules: what it keeps is what we keep. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { RelabelRule } from '@outrigger/core/api';
import { eventually } from '@outrigger/core/testing';
import { freePort, needs, startProcess, tempDir, toolPath } from '../../../../test/harness/index.ts';
import { parsePage } from '../../src/prometheus/parse.ts';
import { compileRelabel } from '../../src/prometheus/relabel.ts';
import { serve } from '../http/servers.ts';

const page = [
  '# TYPE http_requests_total counter',
  'http_requests_total{ method = "GET" ,path="/v1/users/17",code="200", }  1027 1395066363000',
  'http_requests_total{method="PUT",path="/v1/items",code="500",empty=""} 3',
  'http_requests_total{method="get",path="/v1/üser\\n\\"q\\"\\\\",code="200"} 4',
  '# TYPE lat_seconds histogram',
  'lat_seconds_bucket{le="0.5",method="GET"} 1',
  'lat_seconds_bucket{le="+Inf",method="GET"} 2',
  'lat_seconds_sum{method="GET"} 1.5e-3',
  'lat_seconds_count{method="GET"} 2',
  'go_threads 7',
  'same{a="x",b="x"} 1',
  'same{a="x",b="y"} NaN',
  '',
].join('\n');

const ruleSets: Readonly<Record<string, readonly Partial<RelabelRule>[]>> = {
  none: [],
  drop: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'go_.*|lat_seconds' }],
  keep: [{ action: 'keep', sourceLabels: ['__name__', 'method'], regex: 'http_.*;(?i:get)' }],
  users: [
    {
      sourceLabels: ['path'],
      regex: '/v1/users/(\\d+)',
      targetLabel: 'path',
      replacement: '/v1/users/:id=$1',
    },
  ],
  rename: [{ sourceLabels: ['__name__'], regex: '(.+)', targetLabel: '__name__', replacement: 'app_${1}' }],
  group_name: [
    {
      sourceLabels: ['code'],
      regex: '(?P<first>\\d).*',
      targetLabel: 'class',
      replacement: '${first}xx$1x$$',
    },
  ],
  target: [
    { sourceLabels: ['code', 'method'], regex: '(\\d)\\d+;(.+)', targetLabel: 'code_$1', replacement: '$2' },
  ],
  empty: [{ sourceLabels: ['method'], regex: 'GET', targetLabel: 'code', replacement: '' }],
  fixed: [{ targetLabel: 'fixed', replacement: 'x' }],
  separator: [{ sourceLabels: ['method', 'nope', 'code'], separator: '', targetLabel: 'joined' }],
  hashmod: [{ action: 'hashmod', sourceLabels: ['path', 'code'], targetLabel: 'shard', modulus: 1_000_003 }],
  labelmap: [{ action: 'labelmap', regex: '(method|code)', replacement: 'http_$1' }],
  labeldrop: [
    { action: 'labeldrop', regex: 'p.*|code' },
    { action: 'drop', sourceLabels: ['method'], regex: 'get' },
  ],
  labelkeep: [{ action: 'labelkeep', regex: '__name__|a|b|le|path|method' }],
  lowercase: [{ action: 'lowercase', sourceLabels: ['method'], targetLabel: 'method_lower' }],
  uppercase: [{ action: 'uppercase', sourceLabels: ['path'], targetLabel: 'path' }],
  keepequal: [{ action: 'keepequal', sourceLabels: ['a'], targetLabel: 'b' }],
  dropequal: [{ action: 'dropequal', sourceLabels: ['a'], targetLabel: 'b' }],
};

test('relabelling keeps what Prometheus keeps', { ...needs('prometheus'), timeout: 60_000 }, async (t) => {
  const server = await serve(t, (_, response) => {
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    response.end(page);
  });
  const dir = tempDir(t);
  const target = `127.0.0.1:${server.port}`;
  const jobs = Object.entries(ruleSets).map(([job, rules]) => ({
    job_name: job,
    honor_timestamps: false,
    static_configs: [{ targets: [target] }],
    metric_relabel_configs: rules.map(snakeCase),
  }));
  const config = { global: { scrape_interval: '500ms', scrape_timeout: '500ms' }, scrape_configs: jobs };
  writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config));
  const port = await freePort();
  await startProcess(
    t,
    toolPath('prometheus'),
    [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { ready: { port } },
  );
  for (const [job, rules] of Object.entries(ruleSets)) {
    const want = ours(job, target, rules);
    const got = await eventually(`${job} was scraped`, () => theirs(port, job, want.length), 30_000);
    t.same(got, want, job);
  }
});

/** As one text each, sorted. Prometheus adds job and instance before it relabels. */
function ours(job: string, instance: string, rules: readonly Partial<RelabelRule>[]): string[] {
  const relabel = compileRelabel(
    rules.map((rule) => ({ action: 'replace', separator: ';', regex: '(.*)', replacement: '$1', ...rule })),
  );
  const { families } = parsePage(page, 'text');
  const series = families.flatMap(({ name, samples }) =>
    samples.flatMap(({ suffix, labels }) => {
      const all: [string, string][] = [
        ['__name__', name + suffix],
        ...labels.map((pair): [string, string] => [...pair]),
      ];
      const kept = relabel([...all, ['instance', instance], ['job', job]]);
      return kept === undefined ? [] : [shown(Object.fromEntries(kept))];
    }),
  );
  return series.toSorted();
}

async function theirs(port: number, job: string, atLeast: number): Promise<string[] | undefined> {
  // Rules may take the job away; what is asked for is all, and sorted out here.
  const match =
    job === 'labelkeep'
      ? '{job="",__name__=~"http_.*|lat_.*|go_.*|same"}'
      : `{job="${job}",__name__!~"up|scrape_.*"}`;
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/series?match[]=${encodeURIComponent(match)}`);
  const { data } = (await response.json()) as { data?: Record<string, string>[] };
  return data === undefined || data.length < atLeast ? undefined : data.map(shown).toSorted();
}

function shown(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function snakeCase(rule: Partial<RelabelRule>): object {
  const { sourceLabels, targetLabel, ...rest } = rule;
  return {
    ...rest,
    ...(sourceLabels === undefined ? {} : { source_labels: sourceLabels }),
    ...(targetLabel === undefined ? {} : { target_label: targetLabel }),
  };
}
