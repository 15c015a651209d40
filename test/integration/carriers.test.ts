import { configMapKind, metricsAdapterKind } from '@outrigger/core/api';
import { resourcePath } from '@outrigger/core/watch';
import type { ApiClient } from '@outrigger/core/watch';
import { FakeClock } from '@outrigger/core/clock';
import { eventually, testDeps } from '@outrigger/core/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { openCarrier } from '../../packages/cli/src/run/carrier.ts';
import type { Carrier } from '../../packages/cli/src/run/carrier.ts';
import { tempDir } from '../harness/index.ts';
import type { Teardown } from '../harness/index.ts';
import { Control } from './mesh/daemons.ts';

const namespace = 'default';

async function open(t: Teardown, values: Readonly<Record<string, unknown>>): Promise<Carrier> {
  const carrier = await openCarrier(values, 'adapter', testDeps());
  if (carrier === undefined) throw new Error('no carrier');
  t.teardown(() => carrier.close());
  return carrier;
}

function put(client: ApiClient, path: string, body: unknown): Promise<unknown> {
  return client.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
}

test('a file: read, and told when it changes', async (t) => {
  const file = join(tempDir(t), 'adapter.yaml');
  writeFileSync(file, 'maxSeries: 5\n');
  const clock = new FakeClock();
  const carrier = await openCarrier({ config: file }, 'adapter', testDeps({ clock }));
  t.same(await carrier?.read(), { name: file, document: { maxSeries: 5 } });
  writeFileSync(file, 'maxSeries: 66\n');
  let changes = 0;
  carrier?.onChange(() => (changes += 1));
  await clock.advance(1000);
  await eventually('a change between reading and watching is told', () => changes === 1);
  t.match(await carrier?.read(), { document: { maxSeries: 66 } });
  await carrier?.close();
  await clock.advance(5000);
  t.equal(changes, 1);
});

test('a file that is not there says so', async (t) => {
  const carrier = await open(t, { config: '/nowhere/adapter.yaml' });
  await t.rejects(carrier.read(), { code: 'CONFIG_UNREADABLE', target: '/nowhere/adapter.yaml' });
});

test('a key of a ConfigMap: read, changed live, missing, and restored from the state directory', async (t) => {
  const control = await new Control(t).start();
  const client = await control.client();
  const values = {
    config: 'configmap:default/adapter/spec.yaml',
    control: [control.url],
    stateDir: tempDir(t),
  };
  const carrier = await open(t, values);
  await t.rejects(carrier.read(), {
    code: 'CONFIG_MISSING',
    message: /there is no configmap:default\/adapter\/spec\.yaml/,
  });
  let changes = 0;
  carrier.onChange(() => (changes += 1));
  const body = { metadata: { name: 'adapter' }, data: { 'spec.yaml': 'maxSeries: 7' } };
  await client.request({ method: 'POST', path: resourcePath(configMapKind, { namespace }), body });
  await eventually('created', () => changes === 1);
  t.match(await carrier.read(), { document: { maxSeries: 7 } });
  await put(client, resourcePath(configMapKind, { namespace, name: 'adapter' }), {
    data: { 'spec.yaml': 'maxSeries: 8' },
  });
  await eventually('changed', () => changes === 2);
  t.match(await carrier.read(), { document: { maxSeries: 8 } });
  await carrier.close();
  await control.stop();
  const later = await open(t, values);
  t.match(await later.read(), { document: { maxSeries: 8 } }, 'without the control service');
});

test('the daemon’s own object: its spec is the document', async (t) => {
  const control = await new Control(t).start();
  const client = await control.client();
  const body = { metadata: { name: 'mine' }, spec: { maxSeries: 9, labels: { pod: 'p' } } };
  await client.request({ method: 'POST', path: resourcePath(metricsAdapterKind, { namespace }), body });
  const carrier = await open(t, { object: 'default/mine', control: [control.url] });
  t.match(await carrier.read(), {
    name: 'MetricsAdapter default/mine',
    document: { maxSeries: 9, labels: { pod: 'p' } },
  });
});

test('a source that cannot be is refused with what is wanted', async (t) => {
  const deps = testDeps();
  const cases: [Record<string, unknown>, RegExp][] = [
    [
      { config: 'configmap:default/adapter', control: ['http://127.0.0.1:1'] },
      /want configmap:NAMESPACE\/NAME\/KEY/,
    ],
    [{ object: 'adapter', control: ['http://127.0.0.1:1'] }, /--object: got adapter, want NAMESPACE\/NAME/],
    [{ object: 'default/mine' }, /--control: got nothing, want a control URL/],
    [{ object: 'default/mine', config: 'a.yaml' }, /want one of the two/],
  ];
  for (const [values, message] of cases) {
    await t.rejects(openCarrier(values, 'adapter', deps), { code: 'CONFIG_INVALID', message });
  }
  await t.rejects(openCarrier({ object: 'a/b', control: ['http://x:1'] }, 'proxy', deps), {
    message: /no kind for a proxy/,
  });
  t.equal(await openCarrier({}, 'adapter', deps), undefined);
});
