/** What Services are given, keep, are refused and give back, through the store's transactions. */

import type { Service } from '@outrigger/core/api';
import { test } from 'tap';
import { addressRange } from '../../src/allocate/ranges.ts';
import { Cluster } from './harness.ts';

const range = addressRange('10.96.0.0/16');

test('a Service gets an address of its own, outside the static band', async (t) => {
  const cluster = new Cluster();
  const { spec } = await cluster.create('web');
  t.ok((range.indexOf(spec.clusterIP ?? '') ?? 0) >= range.band, `${spec.clusterIP} is above the band`);
  t.strictSame(spec.clusterIPs, [spec.clusterIP]);
  t.strictSame(await cluster.allocations(), { [`clusterips/${spec.clusterIP}`]: 'default/web' });
});

test('five hundred Services have five hundred addresses', async (t) => {
  const cluster = new Cluster();
  for (let i = 0; i < 500; i += 1) await cluster.create(`web-${i}`);
  t.equal(new Set([...cluster.services.values()].map(({ spec }) => spec.clusterIP)).size, 500);
  t.equal(Object.keys(await cluster.allocations()).length, 500);
});

test('an address that was asked for', async (t) => {
  const cluster = new Cluster();
  t.equal((await cluster.create('dns', { clusterIP: '10.96.0.10' })).spec.clusterIP, '10.96.0.10');
  await t.rejects(cluster.create('other', { clusterIP: '10.96.0.10' }), {
    httpStatus: 422,
    message:
      'Service "other" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
  });
  await t.rejects(cluster.create('other', { clusterIP: '10.97.0.10' }), {
    httpStatus: 422,
    message:
      /failed to allocate IP 10\.97\.0\.10: the provided IP \(10\.97\.0\.10\) is not in the valid range\. The range of valid IPs is 10\.96\.0\.0\/16/,
  });
  for (const ip of ['10.96.0.0', '10.96.255.255']) {
    await t.rejects(cluster.create('other', { clusterIP: ip }), {
      httpStatus: 422,
      message: /is not in the valid range/,
    });
  }
});

test('the first address belongs to default/kubernetes', async (t) => {
  const cluster = new Cluster({ serviceCIDRs: ['10.0.0.0/30'] });
  await t.rejects(cluster.create('web', { clusterIP: '10.0.0.1' }), /provided IP is already allocated/);
  t.equal((await cluster.create('web')).spec.clusterIP, '10.0.0.2');
  await t.rejects(cluster.create('more'), /range is full/, 'it is not given away even as the last one');
  t.equal((await cluster.create('kubernetes')).spec.clusterIP, '10.0.0.1');
});

test('headless and ExternalName Services take nothing', async (t) => {
  const cluster = new Cluster();
  t.equal((await cluster.create('peers', { clusterIP: 'None' })).spec.clusterIP, 'None');
  t.equal(
    (await cluster.create('far', { type: 'ExternalName', externalName: 'example.com' })).spec.clusterIP,
    undefined,
  );
  t.strictSame(await cluster.allocations(), {});
});

test('deletion gives everything back', async (t) => {
  const cluster = new Cluster();
  await cluster.create('web', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
  t.equal(Object.keys(await cluster.allocations()).length, 3);
  await cluster.delete('web');
  t.strictSame(await cluster.allocations(), {});
  t.ok(cluster.allocator.usage().every(({ used }) => used === 0));
});

test('a deletion that a finalizer holds gives nothing back until the finalizer goes', async (t) => {
  const cluster = new Cluster();
  const service = await cluster.create('web');
  const held: Service = {
    ...service,
    metadata: { ...service.metadata, finalizers: ['a/b'], deletionTimestamp: '2026-01-01T00:00:00Z' },
  };
  cluster.services.set('web', held);
  t.equal((await cluster.allocations())[`clusterips/${service.spec.clusterIP}`], 'default/web');
  const { finalizers: _finalizers, ...released } = held.metadata;
  cluster.services.set('web', { ...held, metadata: released });
  await cluster.delete('web');
  t.strictSame(await cluster.allocations(), {});
});

test('an update that leaves addresses and ports out keeps them', async (t) => {
  const cluster = new Cluster();
  const before = await cluster.create('web', { type: 'NodePort' });
  const after = await cluster.update('web', { type: 'NodePort', selector: { app: 'web' } });
  t.equal(after.spec.clusterIP, before.spec.clusterIP);
  t.equal(after.spec.ports?.[0]?.nodePort, before.spec.ports?.[0]?.nodePort);
  t.equal(Object.keys(await cluster.allocations()).length, 2);
});

test('changes of type take and give back', async (t) => {
  const cluster = new Cluster();
  await cluster.create('web');
  const exposed = await cluster.update('web', { type: 'NodePort' });
  const nodePort = exposed.spec.ports?.[0]?.nodePort;
  t.ok(nodePort !== undefined && nodePort >= 30_086);
  t.strictSame(Object.keys(await cluster.allocations()).sort(), [
    `clusterips/${exposed.spec.clusterIP}`,
    `nodeports/TCP/${nodePort}`,
  ]);
  await cluster.update('web', { type: 'ClusterIP' });
  t.strictSame(Object.keys(await cluster.allocations()), [`clusterips/${exposed.spec.clusterIP}`]);
  await cluster.update('web', { type: 'ExternalName', externalName: 'example.com' });
  t.strictSame(await cluster.allocations(), {});
  const back = await cluster.update('web', { type: 'ClusterIP', clusterIP: '10.96.0.9' });
  t.equal(back.spec.clusterIP, '10.96.0.9', 'away from ExternalName any address may be asked for');
});

test('the primary address cannot change', async (t) => {
  const cluster = new Cluster();
  await cluster.create('web', { clusterIP: '10.96.0.7' });
  await t.rejects(
    cluster.update('web', { clusterIP: '10.96.0.8', clusterIPs: ['10.96.0.8'] }),
    /spec\.clusterIPs\[0\]: .*may not change once set/,
  );
  t.strictSame(Object.keys(await cluster.allocations()), ['clusterips/10.96.0.7']);
});

test('node ports: asked for, taken, outside, per protocol', async (t) => {
  const cluster = new Cluster();
  const at = (nodePort: number, protocol: 'TCP' | 'UDP' = 'TCP') => ({
    type: 'NodePort' as const,
    ports: [{ port: 80, protocol, nodePort }],
  });
  await cluster.create('a', at(30_001));
  await t.rejects(cluster.create('b', at(30_001)), {
    httpStatus: 422,
    message:
      'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated',
  });
  await t.rejects(
    cluster.create('b', at(40_000)),
    /provided port is not in the valid range\. The range of valid ports is 30000-32767/,
  );
  await cluster.create('c', at(30_001, 'UDP'));
  const allocations = await cluster.allocations();
  t.equal(allocations['nodeports/TCP/30001'], 'default/a');
  t.equal(allocations['nodeports/UDP/30001'], 'default/c');
  t.equal(Object.values(allocations).includes('default/b'), false, 'a refused Service takes nothing');
});

test('one port in two protocols gets one number', async (t) => {
  const cluster = new Cluster();
  const { spec } = await cluster.create('dns', {
    type: 'NodePort',
    ports: [
      { name: 'tcp', port: 53, protocol: 'TCP' },
      { name: 'udp', port: 53, protocol: 'UDP' },
      { name: 'metrics', port: 9153, protocol: 'TCP' },
    ],
  });
  const [tcp, udp, metrics] = spec.ports ?? [];
  t.equal(tcp?.nodePort, udp?.nodePort);
  t.not(tcp?.nodePort, metrics?.nodePort);
});

test('node ports of a LoadBalancer are optional; its health check port is its own', async (t) => {
  const cluster = new Cluster();
  const without = await cluster.create('lb', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false });
  t.equal(without.spec.ports?.[0]?.nodePort, undefined);
  const local = await cluster.create('local', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
  t.ok((local.spec.healthCheckNodePort ?? 0) >= 30_000);
  t.not(local.spec.healthCheckNodePort, local.spec.ports?.[0]?.nodePort);
  await t.rejects(
    cluster.create('again', {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: local.spec.healthCheckNodePort ?? 0,
    }),
    /spec\.healthCheckNodePort: Invalid value: \d+: provided port is already allocated/,
  );
  await cluster.update('local', { type: 'LoadBalancer', externalTrafficPolicy: 'Cluster' });
  t.notOk(
    Object.keys(await cluster.allocations()).includes(`nodeports/TCP/${local.spec.healthCheckNodePort}`),
  );
});

test('a chosen port never takes one that the same Service asks for', async (t) => {
  for (let round = 0; round < 20; round += 1) {
    const cluster = new Cluster({ nodePortRange: '30000-30001' });
    const { spec } = await cluster.create('lb', {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30_001,
    });
    t.equal(spec.ports?.[0]?.nodePort, 30_000);
  }
});

test('a full range says so and names the way out', async (t) => {
  const cluster = new Cluster({ serviceCIDRs: ['10.0.0.0/29'], nodePortRange: '30000-30001' });
  for (let i = 0; i < 5; i += 1) await cluster.create(`web-${i}`);
  await t.rejects(cluster.create('late'), {
    httpStatus: 500,
    message: /failed to allocate a serviceIP: range is full: 10\.0\.0\.0\/29 .*--service-cidr/,
  });
  await cluster.delete('web-0');
  await cluster.create('late');
  const two = [80, 81].map((port) => ({ name: `p${port}`, port, protocol: 'TCP' as const }));
  await cluster.update('late', { type: 'NodePort', ports: two });
  await t.rejects(cluster.update('web-1', { type: 'NodePort' }), {
    httpStatus: 500,
    message: /failed to allocate a nodePort: range is full: 30000-30001 .*--node-port-range/,
  });
});

test('the static band is used when nothing else is left', async (t) => {
  const cluster = new Cluster({ serviceCIDRs: ['10.0.0.0/27'] });
  const ips = [];
  for (let i = 0; i < 29; i += 1) ips.push((await cluster.create(`web-${i}`)).spec.clusterIP);
  const last = (ip: string | undefined): number => Number(ip?.split('.')[3]);
  t.ok(
    ips.slice(0, 14).every((ip) => last(ip) > 16),
    'first from above the band',
  );
  t.strictSame(
    ips.map(last).sort((a, b) => a - b),
    Array.from({ length: 29 }, (_, i) => i + 2),
  );
});

test('a dry run decides as a true write and takes nothing', async (t) => {
  const cluster = new Cluster();
  await cluster.create('web', { clusterIP: '10.96.0.7' });
  t.ok((await cluster.create('dry', {}, { dryRun: true })).spec.clusterIP);
  await t.rejects(cluster.create('dry', { clusterIP: '10.96.0.7' }, { dryRun: true }), /already allocated/);
  t.strictSame(Object.keys(await cluster.allocations()), ['clusterips/10.96.0.7']);
  t.equal(cluster.allocator.usage()[0]?.used, 1);
});

test('of two writers who ask for one address, one wins in the store', async (t) => {
  const cluster = new Cluster();
  const first = cluster.decide('first', { clusterIP: '10.96.0.7' });
  const second = cluster.decide('second', { clusterIP: '10.96.0.7' });
  t.equal((await cluster.store.txn(first.compare, first.operations)).ok, true);
  const lost = await cluster.store.txn(second.compare, second.operations);
  t.match(lost, { ok: false, failed: { key: '/registry/allocations/clusterips/10.96.0.7' } });
  await cluster.feed();
  t.throws(
    () => cluster.decide('second', { clusterIP: '10.96.0.7' }),
    /already allocated/,
    'asked again, it is told why',
  );
});

test('two families', async (t) => {
  const cluster = new Cluster({ serviceCIDRs: ['10.96.0.0/16', 'fd00:96::/112'] });
  const both = await cluster.create('both', { ipFamilyPolicy: 'RequireDualStack' });
  t.strictSame(both.spec.ipFamilies, ['IPv4', 'IPv6']);
  t.match(both.spec.clusterIPs?.[1], /^fd00:96::/);
  t.equal(Object.keys(await cluster.allocations()).length, 2);
  const single = await cluster.update('both', { ipFamilyPolicy: 'SingleStack' });
  t.strictSame(single.spec.clusterIPs, [both.spec.clusterIP]);
  t.equal(Object.keys(await cluster.allocations()).length, 1, 'the second family was given back');
  const again = await cluster.update('both', { ipFamilyPolicy: 'PreferDualStack' });
  t.equal(again.spec.clusterIPs?.length, 2);
  const six = await cluster.create('six', { ipFamilies: ['IPv6'], clusterIP: 'fd00:96:0::53' });
  t.equal(six.spec.clusterIP, 'fd00:96:0::53');
  await t.rejects(
    cluster.create('seven', { ipFamilies: ['IPv6'], clusterIP: 'fd00:96::53' }),
    /already allocated/,
    'however it is written',
  );
});

test('a cluster of one family has no second one to give', async (t) => {
  const cluster = new Cluster();
  await t.rejects(cluster.create('both', { ipFamilyPolicy: 'RequireDualStack' }), {
    httpStatus: 422,
    message: /this cluster is not configured for dual-stack services/,
  });
  t.strictSame((await cluster.create('prefer', { ipFamilyPolicy: 'PreferDualStack' })).spec.ipFamilies, [
    'IPv4',
  ]);
});

test('after a change of ranges, Services keep what they have and new ones get the new', async (t) => {
  const before = new Cluster();
  const service = await before.create('old', { type: 'NodePort' });
  const after = new Cluster({ serviceCIDRs: ['10.200.0.0/16'], nodePortRange: '20000-20099' });
  after.services.set('old', service);
  for (const item of (await before.store.range('/registry/')).items) after.allocator.load(item);
  const updated = await after.update('old', { type: 'NodePort', selector: { app: 'x' } });
  t.equal(updated.spec.clusterIP, service.spec.clusterIP);
  t.match((await after.create('new')).spec.clusterIP, /^10\.200\./);
});
