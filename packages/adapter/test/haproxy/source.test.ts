import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import { freePort, needs, startProcess, tempDir, toolPath } from '../../../../test/harness/index.ts';
import { parseCsv } from '../../src/haproxy/csv.ts';
import { haproxySource, readStatistics } from '../../src/haproxy/source.ts';
import { FamilyBuilder } from '../../src/sources/families.ts';
import { SourceError } from '../../src/sources/source.ts';
import type { Source } from '../../src/sources/source.ts';
import { defaultHttp, pageServer } from '../sources/page-server.ts';
import { samplesOf, samplesOfText, typesOfText } from '../sources/page-text.ts';

function read(text: string): { samples: Record<string, number>; dropped: Record<string, number> } {
  const builder = new FamilyBuilder();
  const dropped = readStatistics(text, builder);
  return { samples: Object.fromEntries(samplesOf(builder.families())), dropped };
}

function sourceAt(t: Test, url: string): Source {
  const source = haproxySource({ url, http: defaultHttp }, { address: url, labels: {} }, {});
  t.teardown(() => source.close());
  return source;
}

const asked = () => ({ signal: AbortSignal.timeout(10_000), leftMs: 10_000 });

test('cells, quoted and not', (t) => {
  t.same(parseCsv('a,b,\r\n"c,""d""\n",,e'), [
    ['a', 'b', ''],
    ['c,"d"\n', '', 'e'],
  ]);
  t.same(parseCsv('a,"b\n\nnever closed'), [['a', 'b\n\nnever closed']]);
  t.same(parseCsv('"a"rubbish,b\n\n'), [['a', 'b']]);
  t.same(parseCsv('a,'), [['a', '']]);
  t.same(parseCsv(''), []);
  t.end();
});

test('columns are found by their names, in whatever order, and may be missing', (t) => {
  const { samples, dropped } = read(
    '# svname,type,pxname,hrsp_5xx,status,qtime,new\n' +
      'FRONTEND,0,web,3,OPEN,,1\nBACKEND,1,app,,DOWN,1500,1\none,2,app,,UP 1/3,2,1\nsock,3,web,1,OPEN,,1\n',
  );
  t.same(samples, {
    'haproxy_frontend_http_responses_total{code="5xx",frontend="web"}': 3,
    'haproxy_backend_up{backend="app"}': 0,
    'haproxy_backend_http_queue_time_average_seconds{backend="app"}': 1.5,
    'haproxy_server_up{backend="app",server="one"}': 1,
    'haproxy_server_http_queue_time_average_seconds{backend="app",server="one"}': 0.002,
  });
  t.same(dropped, {});
  t.end();
});

test('rows that are too short, numbers that are none and rows met twice are left out and counted', (t) => {
  const { samples, dropped } = read(
    '# pxname,svname,scur,type\nweb,FRONTEND,many,0\nweb\napp,BACKEND,4,1\napp,BACKEND,5,1\n',
  );
  t.same(samples, { 'haproxy_backend_current_sessions{backend="app"}': 4 });
  t.same(dropped, { 'bad-number': 1, 'short-row': 1, duplicate: 1 });
  t.end();
});

test('another page shows haproxy_up 0 and nothing else', async (t) => {
  const page = await pageServer(t, '');
  for (const text of ['', '<html><body>statistics</body></html>', '# pxname,svname\nweb,FRONTEND\n']) {
    page.text = text;
    const error = await sourceAt(t, page.url)
      .collect(asked())
      .catch((thrown: unknown) => thrown);
    if (!(error instanceof SourceError)) throw new Error('it answered');
    t.equal(error.class, 'parse');
    t.same([...samplesOf(error.families)], [['haproxy_up', 0]]);
  }
});

test(
  'a real HAProxy, compared with haproxy_exporter',
  needs('haproxy', 'prometheus-haproxy-exporter'),
  async (t) => {
    const [web, stats, exporterPort] = [await freePort(), await freePort(), await freePort()];
    const backend = await pageServer(t, 'ok');
    const config = join(tempDir(t), 'haproxy.cfg');
    writeFileSync(
      config,
      `defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind 127.0.0.1:${web}
  default_backend app
frontend stats
  bind 127.0.0.1:${stats}
  stats enable
  stats uri /stats
backend app
  server one ${new URL(backend.url).host} check maxconn 7
  server two 127.0.0.1:1 check disabled
`,
    );
    await startProcess(t, toolPath('haproxy'), ['-f', config], { ready: { port: stats } });
    await (await fetch(`http://127.0.0.1:${web}/`)).text();
    const url = `http://127.0.0.1:${stats}/stats;csv`;
    const args = [`--web.listen-address=127.0.0.1:${exporterPort}`, `--haproxy.scrape-uri=${url}`];
    await startProcess(t, toolPath('prometheus-haproxy-exporter'), args, { ready: { port: exporterPort } });
    const page = await (await fetch(`http://127.0.0.1:${exporterPort}/metrics`)).text();
    const { families, dropped } = await sourceAt(t, url).collect(asked());
    t.same(dropped, {});
    const isTheirs = (name: string): boolean => /^haproxy_(?!exporter_)/.test(name);
    const theirs = new Map([...samplesOfText(page)].filter(([key]) => isTheirs(key)));
    const ours = samplesOf(families);
    t.same([...ours.keys()].sort(), [...theirs.keys()].sort(), 'every name with every label');
    const types = [...typesOfText(page)].filter(([name]) => isTheirs(name));
    t.same(families.map(({ name, type }) => [name, type]).sort(), types.sort());
    // The same of what nobody uses meanwhile; averages are of the moment.
    const still = [...theirs].filter(
      ([key]) => /="(web|app)"/.test(key) && !/rate|average|downtime|check/.test(key),
    );
    t.ok(still.length > 20);
    t.same(
      still.map(([key]) => [key, ours.get(key)]),
      still,
    );
  },
);
