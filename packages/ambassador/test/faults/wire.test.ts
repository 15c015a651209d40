/** What tests hear by: a reply is never taken for that to another command. */

import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import { Wire } from './wire.ts';

test('replies before an ending are not those to what was asked later', async (t) => {
  const server = createServer((socket) => socket.end('+OK\r\n+OK\r\n'));
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const wire = await Wire.open((server.address() as AddressInfo).port, { t });
  t.equal(await wire.take(1), '+OK\r\n');
  t.equal(await wire.take(3), undefined, 'one of three came');
  t.equal(await wire.take(1), undefined, 'which is nobody else’s');
});
