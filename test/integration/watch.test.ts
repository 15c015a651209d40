/** The list+watch client before the real control service: what is written is seen, through restarts and losses. */

import { controlSchema, parseControlConfig, start } from '@outrigger/control';
import { defaultsOf, endpointSliceKind, leaseKind, serviceKind } from '@outrigger/core/api';
import type { EndpointSlice, Lease, Service } from '@outrigger/core/api';
import { seededRandom } from '@outrigger/core/clock';
import type { Daemon } from '@outrigger/core/lifecycle';
import { startPresence } from '@outrigger/core/presence';
import { eventually, testDeps } from '@outrigger/core/testing';
import type { TestDeps } from '@outrigger/core/testing';
import {
  createApiClient,
  createSource,
  resolveConnection,
  resourcePath,
  wholeRecords,
} from '@outrigger/core/watch';
import type { ApiClient, Changes, ControlConfig, Source } from '@outrigger/core/watch';
import { test } from 'tap';
import type { Test } from 'tap';

/** A control service that can be stopped and started again where it was. */
class Control {
  url = '';
  #daemon: Daemon | undefined;
  readonly #values: Record<string, unknown>;

  private constructor(values: Record<string, unknown>) {
    this.#values = { ...defaultsOf(controlSchema), listen: '127.0.0.1:0', memory: true, ...values };
  }

  static async run(t: Test, values: Record<string, unknown> = {}): Promise<Control> {
    const control = new Control(values);
    await control.start();
    t.teardown(() => control.stop());
    return control;
  }

  async start(): Promise<void> {
    this.#daemon = await start(parseControlConfig(this.#values), testDeps());
    this.url = `http://${this.#daemon.addresses['api']}`;
    this.#values['listen'] = this.#daemon.addresses['api'];
  }

  async stop(): Promise<void> {
    await this.#daemon?.close();
    this.#daemon = undefined;
  }
}

interface Seen {
  readonly source: Source;
  readonly deps: TestDeps;
  readonly batches: Changes<string>[];
  /** Service → its port's name, as the receiver has been told. */
  readonly told: Map<string, string>;
}

async function watching(t: Test, control: Control, config: ControlConfig = {}): Promise<Seen> {
  const deps = testDeps();
  const source = await createSource(
    { control: [control.url], ...config },
    { role: 'test', version: '1' },
    deps,
  );
  t.teardown(() => source.close());
  const batches: Changes<string>[] = [];
  const told = new Map<string, string>();
  source.watch<string>({
    resource: serviceKind,
    scopes: [{ namespace: 'default' }],
    project: ({ metadata, spec }: Service) =>
      metadata.name === 'kubernetes' ? undefined : (spec?.ports?.[0]?.name ?? ''),
    hold: wholeRecords((record) => record),
    onChanges: (changes) => {
      batches.push(changes);
      for (const { key, record } of changes.put) told.set(key, record);
      for (const { key } of changes.delete) told.delete(key);
    },
  });
  await source.start();
  await source.ready;
  return { source, deps, batches, told };
}

async function clientOf(t: Test, control: Control): Promise<ApiClient> {
  const deps = testDeps();
  const client = createApiClient(
    await resolveConnection({ control: [control.url] }, deps),
    { userAgent: 'test' },
    deps,
  );
  t.teardown(() => client.close());
  return client;
}

function service(name: string, portName = 'http'): object {
  return { metadata: { name }, spec: { ports: [{ name: portName, port: 80 }], selector: { app: name } } };
}

const services = resourcePath(serviceKind, { namespace: 'default' });

test('what is written is seen: by a watch that begins with what there is', async (t) => {
  const control = await Control.run(t);
  const client = await clientOf(t, control);
  await client.request({ method: 'POST', path: services, body: service('before') });
  const seen = await watching(t, control);
  t.same([...seen.told], [['default/before', 'http']]);
  t.match(seen.batches, [{ cause: 'list', identity: /^[0-9a-f-]{36}$/ }]);
  await client.request({ method: 'POST', path: services, body: service('later') });
  await client.request({
    method: 'PATCH',
    path: `${services}/before`,
    contentType: 'application/merge-patch+json',
    body: { spec: { ports: [{ name: 'web', port: 80 }] } },
  });
  await client.request({ method: 'DELETE', path: `${services}/later` });
  await eventually('the last of it', () => seen.told.get('default/before') === 'web' && seen.told.size === 1);
  t.ok(seen.batches.every(({ cause }) => cause === 'list' || cause === 'watch'));
  t.match(
    await seen.deps.metrics.page(),
    /outrigger_watch_events_total\{resource="services",type="BOOKMARK"\} [1-9]/,
  );
  t.match(seen.source.status(), { watches: [{ phase: 'watching', problem: undefined }] });
});

test('slices of one Service, asked for by label', async (t) => {
  const control = await Control.run(t);
  const client = await clientOf(t, control);
  const seen: string[] = [];
  const { source } = await watching(t, control);
  const slices = source.watch<string>({
    resource: endpointSliceKind,
    scopes: [{ namespace: 'default', labelSelector: 'kubernetes.io/service-name=web' }],
    project: ({ endpoints }: EndpointSlice) => (endpoints ?? []).flatMap(({ addresses }) => addresses).join(),
    onChanges: ({ put }) => void seen.push(...put.map(({ record }) => record)),
  });
  await slices.synced;
  for (const [name, address] of [
    ['web', '10.0.0.1'],
    ['api', '10.0.0.2'],
  ]) {
    const metadata = { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } };
    const body = { metadata, addressType: 'IPv4', endpoints: [{ addresses: [address] }], ports: [] };
    await client.request({
      method: 'POST',
      path: resourcePath(endpointSliceKind, { namespace: 'default' }),
      body,
    });
  }
  await eventually('the slice', () => seen.length > 0);
  t.same(seen, ['10.0.0.1']);
});

test('control restarts with its database: the watch goes on, nothing is listed anew', async (t) => {
  const control = await Control.run(t, { memory: false, data: t.testdir() });
  const client = await clientOf(t, control);
  await client.request({ method: 'POST', path: services, body: service('web') });
  const seen = await watching(t, control);
  await control.stop();
  await eventually('noticed', () => seen.source.status().watches[0]?.problem !== undefined);
  t.same([...seen.told.keys()], ['default/web']);
  t.ok(seen.source.health().healthy);
  await control.start();
  await client.request({ method: 'POST', path: services, body: service('new') });
  await eventually('the new one', () => seen.told.has('default/new'), 20_000);
  t.ok(seen.batches.every(({ cause }) => cause !== 'relist'));
});

test('control comes back without what it knew: what serves stays', async (t) => {
  const control = await Control.run(t);
  const client = await clientOf(t, control);
  for (const name of ['a', 'b', 'c'])
    await client.request({ method: 'POST', path: services, body: service(name, name) });
  const seen = await watching(t, control, { shrinkHold: '10m' });
  const { identity } = seen.source.status();
  await control.stop();
  await control.start();
  await client.request({ method: 'POST', path: services, body: service('b', 'b') });
  await eventually('listed', () => seen.source.status().held.length > 0, 20_000);
  t.not(seen.source.status().identity, identity);
  t.same([...seen.told.keys()].toSorted(), ['default/a', 'default/b', 'default/c']);
  t.match(
    seen.source
      .status()
      .held.map(({ group, doubt }) => [group, doubt])
      .toSorted(),
    [
      ['a', 'identity-changed'],
      ['c', 'identity-changed'],
    ],
  );
  await client.request({ method: 'POST', path: services, body: service('a', 'a') });
  await eventually('one is back', () => seen.source.status().held.length === 1);
});

test('a daemon restarts while control is gone', async (t) => {
  const stateDir = t.testdir();
  const control = await Control.run(t);
  const client = await clientOf(t, control);
  await client.request({ method: 'POST', path: services, body: service('web') });
  const first = await watching(t, control, { stateDir });
  await first.source.save();
  await first.source.close();
  await control.stop();
  const second = await watching(t, control, { stateDir });
  t.match(second.batches, [{ cause: 'snapshot' }]);
  t.same([...second.told.keys()], ['default/web']);
});

test('a Lease says who is there, and is gone with the daemon', async (t) => {
  const control = await Control.run(t);
  const client = await clientOf(t, control);
  const presence = startPresence(
    { client, role: 'proxy', instance: 'one', facts: () => ({ version: '1' }) },
    testDeps(),
  );
  await eventually('present', () => presence.state === 'present');
  const path = resourcePath(leaseKind, { namespace: 'default', name: 'outrigger-proxy-one' });
  t.match(await client.request<Lease>({ path }), {
    metadata: { labels: { 'outrigger.dev/role': 'proxy' }, annotations: { 'outrigger.dev/version': '1' } },
    spec: { holderIdentity: 'one', leaseDurationSeconds: 40 },
  });
  await presence.stop();
  await t.rejects(client.request({ path }), { name: 'ApiError', httpStatus: 404 });
});

test('writes from all sides while control comes and goes: in the end the client has what the server has', async (t) => {
  const seed = Number(process.env['SEED'] ?? 7);
  t.comment(`SEED=${seed}`);
  const random = seededRandom(seed);
  const control = await Control.run(t, { memory: false, data: t.testdir() });
  const client = await clientOf(t, control);
  const seen = await watching(t, control, { shrinkHold: '0' });
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 60; i++) {
      const name = `s${Math.floor(random.next() * 12)}`;
      const write =
        random.next() < 0.6
          ? client.request({ method: 'POST', path: services, body: service(name, `p${round}-${i}`) })
          : client.request({ method: 'DELETE', path: `${services}/${name}` });
      // Conflicts with what is there or not are part of it.
      await write.catch((error: unknown) => t.match(error, { name: 'ApiError' }));
    }
    await control.stop();
    await control.start();
  }
  const list = await client.request<{ items: Service[] }>({ path: services });
  const truth = list.items
    .filter(({ metadata }) => metadata.name !== 'kubernetes')
    .map(({ metadata, spec }): [string, string] => [`default/${metadata.name}`, spec?.ports?.[0]?.name ?? ''])
    .toSorted();
  const told = (): [string, string][] => [...seen.told].toSorted();
  await eventually('the same', () => JSON.stringify(told()) === JSON.stringify(truth), 40_000);
  t.same(told(), truth);
});
