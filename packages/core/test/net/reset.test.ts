import { resetSocket } from '@outrigger/core/net';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'tap';

async function pair(t: { teardown(run: () => unknown): void }): Promise<{ ours: Socket; theirs: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const theirs = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [ours] = (await once(server, 'connection')) as [Socket];
  t.teardown(() => theirs.destroy());
  return { ours, theirs };
}

test('the peer of a reset sees one', async (t) => {
  const { ours, theirs } = await pair(t);
  theirs.resume();
  resetSocket(ours);
  await t.rejects(once(theirs, 'close'), { code: 'ECONNRESET' });
});

test('a reset while our own goodbye waits behind unread bytes closes the socket all the same', async (t) => {
  const { ours } = await pair(t);
  // Nobody reads: the FIN stays behind what the kernel does not take any more.
  while (ours.write(Buffer.alloc(2 ** 20))) await new Promise((resolve) => setImmediate(resolve));
  ours.end();
  const closed = once(ours, 'close');
  resetSocket(ours);
  await closed;
  t.ok(ours.destroyed);
});
