/** Published ports through changes of configuration: nothing is applied by half, no listener is closed for nothing. */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'tap';
import type { Test } from 'tap';
import { eventually, MemoryNet, testDeps } from '@outrigger/core/testing';
import { Catalog, projectService, projectSlice } from '../../src/catalog/index.ts';
import type { Publish } from '../../src/daemon/config.ts';
import { PublishedPorts } from '../../src/daemon/ports.ts';
import { Planner } from '../../src/plan/index.ts';
import { CONTEXT } from '../plan/context.ts';
import { backend } from '../l4/fixture.ts';
import { service, slice } from '../objects.ts';

async function fixture(t: Test) {
  const catalog = new Catalog();
  const planner = new Planner(catalog, CONTEXT);
  const ports = new PublishedPorts(testDeps());
  t.teardown(() => ports.close());
  /** A Service whose one endpoint answers with the Service's name. */
  const serve = async (name: string): Promise<void> => {
    const { port } = await backend(t, (socket) => void socket.end(name).resume());
    const endpoints = slice(`default/${name}-1`, ['127.0.0.1'], {
      ports: [{ name: 'http', port, protocol: 'TCP' }],
    });
    catalog.apply([
      { kind: 'Service', key: `default/${name}`, record: projectService(service(`default/${name}`)) },
      { kind: 'EndpointSlice', key: `default/${name}-1`, record: projectSlice(endpoints) },
    ]);
    planner.sync();
  };
  const apply = (synced = true): void => ports.apply(planner.plans, synced);
  return { ports, serve, apply };
}

function publish(service: string, port = 0): Publish {
  const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
  return { namespace: 'default', service, port: undefined, address, name: `default/${service}` };
}

function portOf(ports: PublishedPorts, service: string): number {
  return Number(ports.addresses()[`default/${service}`]?.split(':').at(-1));
}

const answer = (port: number): Promise<string> => text(connect(port, '127.0.0.1'));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('two Services exchange their addresses', async (t) => {
  const { ports, serve, apply } = await fixture(t);
  await serve('a');
  await serve('b');
  const [one, two] = [await freePort(), await freePort()];
  await ports.configure([publish('a', one), publish('b', two)]);
  apply();
  t.same([await answer(one), await answer(two)], ['a', 'b']);
  await ports.configure([publish('a', two), publish('b', one)]);
  apply();
  t.same([await answer(one), await answer(two)], ['b', 'a']);
  await ports.configure([publish('b', one)]);
  t.equal(await answer(one), 'b');
  await t.rejects(answer(two), { code: 'ECONNREFUSED' });
});

test('an address handed on to another Service is taken back by nobody when a later one fails', async (t) => {
  const { ports, serve, apply } = await fixture(t);
  await serve('a');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const port = await freePort();
  await ports.configure([publish('a', port)]);
  apply();
  const impossible = publish('c', (taken.address() as AddressInfo).port);
  await t.rejects(ports.configure([publish('b', port), impossible]), { code: 'LISTEN_FAILED' });
  t.equal(await answer(port), 'a');
  t.same(Object.keys(ports.addresses()), ['default/a']);
});

test('a new port waits until its Service can be known; one that is not there is refused then', async (t) => {
  const { ports, serve, apply } = await fixture(t);
  await serve('a');
  await ports.configure([publish('a')]);
  apply();
  await ports.configure([publish('a'), publish('b'), publish('nobody')]);
  apply(false);
  const early = answer(portOf(ports, 'b'));
  const nobody = answer(portOf(ports, 'nobody'));
  const caught = t.rejects(nobody, { code: 'ECONNRESET' });
  await eventually(
    'they wait',
    () => [...ports.publications].filter(({ port }) => port.connections.size > 0).length === 2,
  );
  await serve('b');
  apply(false);
  t.equal(await answer(portOf(ports, 'a')), 'a', 'the others go on');
  apply(true);
  t.equal(await early, 'b');
  await caught;
});

test('a port published beyond loopback is named in the log when it opens, and not again', async (t) => {
  const deps = testDeps({ net: new MemoryNet() });
  const ports = new PublishedPorts(deps);
  t.teardown(() => ports.close());
  const open = { ...publish('web'), address: { kind: 'tcp', host: '0.0.0.0', port: 8080 } } as const;
  await ports.configure([open, publish('inside')]);
  await ports.configure([open]);
  const named = deps.lines.filter((line) => line.includes('beyond loopback'));
  t.match(named, [/listener=default\/web.* address=0\.0\.0\.0:8080/]);
  t.equal(named.length, 1);
});
