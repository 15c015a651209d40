import { adapterDaemon, adapterProblems } from '@outrigger/adapter';
import { loadConfig } from '@outrigger/core/config';
import { MemoryNet, testDeps } from '@outrigger/core/testing';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';

const { schema, checks, parse, start } = adapterDaemon;
const addresses = { listen: '127.0.0.1:0', admin: '127.0.0.1:0', statsdUdp: '', statsdTcp: '' };

function configure(document: Record<string, unknown>) {
  const source = { name: 'test', document: { ...addresses, ...document } };
  return parse(loadConfig({ schema, checks, args: [], environment: {}, source }).values);
}

async function target(
  t: { teardown(step: () => unknown): void },
  body: string,
  type = 'text/plain; version=0.0.4',
) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(String(request.headers['x-prometheus-scrape-timeout-seconds']));
    response.writeHead(200, { 'content-type': type }).end(body);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

test('sources come, change and go with a reload; others and what was told stay', async (t) => {
  const one = await target(t, 'a{k="v"} 1\nb 2\n');
  const two = await target(t, '{"count": 7}', 'application/json');
  const prometheus = { name: 'one', prometheus: { url: one.url } };
  const json = { name: 'two', json: { url: two.url } };
  const modules = { default: { metrics: [{ name: 'things', path: '{ .count }' }] } };
  let reloads = 0;
  const deps = { ...testDeps(), reload: () => Promise.resolve(void (reloads += 1)) };
  const daemon = await start(configure({ sources: [prometheus] }), deps);
  t.teardown(() => daemon.close());
  const page = async () => (await fetch(`http://${daemon.addresses['scrape']}/metrics`)).text();
  t.match(await page(), /^a\{k="v",source="one"\} 1$/m);
  await daemon.reload(
    configure({
      sources: [
        json,
        { ...prometheus, relabel: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'b' }] },
      ],
      modules,
    }),
  );
  const second = await page();
  t.match(second, /^things 7$/m);
  t.notMatch(second, /^b/m);
  t.match(second, `\noutrigger_adapter_source_up{source="one",endpoint="${one.url}"} 1\n`);
  t.match(second, '\noutrigger_adapter_config_last_reload_successful 1\n');
  await daemon.reload(configure({ sources: [json], modules, labels: { zone: 'z' } }));
  const third = await page();
  t.match(third, /^things\{zone="z"\} 7$/m);
  t.notMatch(third, 'source="one",endpoint');
  await t.rejects(daemon.reload(configure({ sources: [json], jsonModules: '/nonsense/file' })), {
    code: 'FILE_UNREADABLE',
  });
  const fourth = await page();
  t.match(fourth, /^things\{zone="z"\} 7$/m, 'a bad configuration changes nothing');
  t.match(fourth, '\noutrigger_adapter_config_last_reload_successful 0\n');
  const admin = `http://${daemon.addresses['admin']}`;
  const debug = (await (await fetch(`${admin}/debug/adapter`)).json()) as { sources: object[] };
  t.match(debug.sources, [{ name: 'two', kind: 'json', up: true, series: 1 }]);
  t.equal((await fetch(`${admin}/-/reload`, { method: 'POST' })).status, 200);
  t.equal(reloads, 1);
});

test('the time the scraper has is handed on to the pages asked', async (t) => {
  const one = await target(t, 'a 1\n');
  const daemon = await start(
    configure({ sources: [{ name: 'one', prometheus: { url: one.url } }] }),
    testDeps(),
  );
  t.teardown(() => daemon.close());
  await fetch(`http://${daemon.addresses['scrape']}/metrics`, {
    headers: { 'x-prometheus-scrape-timeout-seconds': '3' },
  });
  t.ok(Number(one.seen[0]) > 2 && Number(one.seen[0]) <= 2.5, one.seen[0] ?? 'not asked');
});

test('what told series was taken out: its series go with the next sweep', async (t) => {
  const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
  const folder = mkdtempSync('/tmp/logs-');
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(`${folder}/app.log`, 'hit\nhit\n');
  const log = {
    name: 'log',
    log: { files: [`${folder}/app.log`], fromStart: true, rules: [{ match: 'hit', name: 'hits_total' }] },
  };
  const daemon = await start(configure({ sources: [log] }), testDeps());
  t.teardown(() => daemon.close());
  const page = async () => (await fetch(`http://${daemon.addresses['scrape']}/metrics`)).text();
  t.match(await page(), /^hits_total 2$/m);
  writeFileSync(`${folder}/app.log`, 'hit\nhit\nhit\n');
  await daemon.reload(configure({ sources: [{ ...log, timeout: '5s' }] }));
  t.match(await page(), /^hits_total 3$/m, 'it goes on where the one before ended');
  await daemon.reload(configure({ sources: [] }));
  for (let text = await page(); /^hits_total/m.test(text);) text = await page();
  t.pass('forgotten');
});

test('every problem of a configuration is told before anything is started', (t) => {
  const sources = [
    {
      name: 'a',
      prometheus: { url: 'http://svc:nonsense/x/y' },
      relabel: [{ regex: '(' }, { action: 'hashmod' }],
    },
    { name: 'b', log: { files: ['/x'], rules: [{ name: 'n', match: '(' }] } },
  ];
  const wrong = {
    sources,
    probe: { allow: ['10.0.0.0/99'] },
    otlp: { endpoint: 'x' },
    modules: { m: { metrics: [{ name: 'n', path: '{ [' }] } },
  };
  const error = String(t.throws(() => configure(wrong)));
  for (const path of [
    'sources[0].relabel[0]',
    'sources[0].relabel[1]',
    'sources[1].log.rules[0]',
    'probe.allow',
    'otlp.endpoint',
    'modules',
  ])
    t.match(error, path);
  t.throws(
    () => configure({ sources: [{ name: 'a', prometheus: { url: 'http://x', nonsense: 1 } }] }),
    /sources\[0\]\.prometheus\.nonsense/,
  );
  t.type(adapterProblems, 'function');
  t.end();
});

test('a Service without a control service is refused, and in memory nothing listens', async (t) => {
  const deps = testDeps({ net: new MemoryNet() });
  await t.rejects(
    start(configure({ sources: [{ name: 'a', redis: { address: 'svc:default/redis' } }] }), deps),
    {
      code: 'ADAPTER_NO_CONTROL',
    },
  );
});
