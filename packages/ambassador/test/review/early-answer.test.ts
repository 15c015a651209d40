/** A server that answers a large request before it has it whole. */

import { eventually } from '@outrigger/core/testing';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'tap';
import { needs } from '../../../../test/harness/index.ts';
import type { Teardown } from '../../../../test/harness/index.ts';
import { startAmbassador, startServers } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');

interface Impatient {
  readonly address: string;
  /** Bytes that came after the early answer. */
  readonly after: () => number;
}

/** Passes on to `port`, but answers a request with `bulk` at once, and from then on only counts what comes. */
async function startImpatient(t: Teardown, port: number, bulk: string): Promise<Impatient> {
  const sockets = new Set<Socket>();
  let after = 0;
  const server = createServer((socket) => {
    const up = connect(port, '127.0.0.1');
    let early = false;
    socket.on('data', (chunk) => {
      if (early) after += chunk.length;
      else if (chunk.includes(bulk)) {
        early = true;
        socket.write('-ERR too early\r\n');
      } else up.write(chunk);
    });
    up.on('data', (chunk) => socket.write(chunk));
    for (const [one, other] of [
      [socket, up],
      [up, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, after: () => after };
}

test('the rest of a request that was answered early reaches nobody else', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const impatient = await startImpatient(t, primary.port, '$3\r\nbig\r\n');
  const ambassador = await startAmbassador(t, { primary: impatient.address });
  const client = await ambassador.client();
  const piece = 'x'.repeat(1 << 20);
  client.send(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${64 << 20}\r\n${piece}`);
  t.same(await client.replies(1), ['-ERR too early\r\n']);
  // Its connection must not be lent: whoever had it would get in between the bytes of this value.
  const other = await ambassador.client();
  const popped = other.ask('BLPOP', 'list', '0');
  client.send(piece);
  await eventually('it blocks', async () =>
    (await primary.cli('INFO', 'clients')).includes('blocked_clients:1'),
  );
  await primary.cli('RPUSH', 'list', 'item');
  t.equal(await popped, '*2\r\n$4\r\nlist\r\n$4\r\nitem\r\n');
  await client.closed();
  t.ok(impatient.after() <= 2 << 20);
});
