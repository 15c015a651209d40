import { adapterDaemon } from '@outrigger/adapter';
import { loadConfig } from '@outrigger/core/config';
import { testDeps } from '@outrigger/core/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';

const { schema, checks, parse, start } = adapterDaemon;

function configure(document: Record<string, unknown>) {
  const addresses = { listen: '127.0.0.1:0', admin: '127.0.0.1:0', statsdUdp: '', statsdTcp: '' };
  const source = { name: 'test', document: { ...addresses, ...document } };
  return parse(loadConfig({ schema, checks, args: [], environment: {}, source }).values);
}

async function jsonServer(t: Test) {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end('{"a": 1, "b": 2}');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  t.teardown(() => server.closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked };
}

function files(t: Test, contents: Record<string, string>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'reload-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text);
  return (name) => join(folder, name);
}

const moduleOf = (path: string) => ({ default: { metrics: [{ name: 'thing', path: `{ .${path} }` }] } });

test('a reload is whole or not at all: whatever is wrong with it, nothing has changed', async (t) => {
  const old = await jsonServer(t);
  const other = await jsonServer(t);
  const file = files(t, {
    'good.yaml': 'mappings: [{ match: a.*, name: good }]',
    'bad.yaml': 'mappings: [{ match: a.*, name: 1bad }]',
  });
  const sources = [{ name: 'one', json: { url: old.url } }];
  const good = { sources, modules: moduleOf('a'), statsdMapping: file('good.yaml') };
  const daemon = await start(configure(good), testDeps());
  t.teardown(() => daemon.close());
  const page = async () => (await fetch(`http://${daemon.addresses['scrape']}/metrics`)).text();
  const why = async () =>
    (
      await fetch(`http://${daemon.addresses['admin']}/debug/why?line=${encodeURIComponent('a.b:1|c')}`)
    ).text();
  const changed = {
    sources: [{ name: 'two', json: { url: other.url } }],
    modules: moduleOf('b'),
    labels: { zone: 'z' },
  };
  const wrong = {
    'a bad mapping': { ...changed, statsdMapping: file('bad.yaml') },
    'a mapping that is not there': { ...changed, statsdMapping: file('none.yaml') },
    'a Service that cannot be watched': {
      ...changed,
      sources: [...changed.sources, { name: 'three', redis: { address: 'svc:default/redis' } }],
    },
    'another receive buffer': { ...changed, statsd: { receiveBuffer: '1MiB' } },
  };
  for (const [what, next] of Object.entries(wrong)) {
    await t.rejects(daemon.reload(configure(next)), what);
    const text = await page();
    t.match(text, /^thing 1$/m, `${what}: module and labels are those of before`);
    t.match(text, `source_up{source="one",endpoint="${old.url}"} 1\n`, `${what}: the source is still asked`);
    t.notMatch(text, 'source="two"', `${what}: the new one is not`);
    t.match(await why(), 'good', `${what}: the mapping is the one of before`);
  }
  t.equal(other.asked(), 0);
  await daemon.reload(configure(changed));
  t.match(await page(), /^thing\{zone="z"\} 2$/m);
  t.notMatch(await why(), 'good');
});

test('what may be secret in a URL is on no page', async (t) => {
  const server = await jsonServer(t);
  const sources = [{ name: 'one', json: { url: `${server.url}/status?token=hunter2` } }];
  const daemon = await start(configure({ sources, modules: moduleOf('a') }), testDeps());
  t.teardown(() => daemon.close());
  const { scrape, admin } = daemon.addresses;
  const pages = [`${scrape}/metrics`, `${scrape}/`, `${admin}/debug/adapter`, `${admin}/metrics`];
  const texts: string[] = [];
  for (const page of pages) texts.push(await (await fetch(`http://${page}`)).text());
  t.match(texts[0], `source_up{source="one",endpoint="${server.url}/status"} 1\n`);
  t.notMatch(texts.join('\n'), 'hunter2');
});

test('what is opened once, the control connection among it, cannot change while it runs', async (t) => {
  const daemon = await start(configure({}), testDeps());
  t.teardown(() => daemon.close());
  for (const [field, value] of Object.entries({
    control: ['http://127.0.0.1:7080'],
    controlTokenFile: '/run/token',
    presence: true,
    timerBuckets: [1],
  }))
    await t.rejects(
      daemon.reload(configure({ [field]: value })),
      { message: `${field} cannot change while the adapter runs`, hint: /restart/ },
      field,
    );
});
