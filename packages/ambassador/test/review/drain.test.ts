/** Draining with clients that nobody owes an answer and that never leave by themselves. */

import { test } from 'tap';
import { needs } from '../../../../test/harness/index.ts';
import { startAmbassador, startServers } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');

test('drain ends subscribers, monitors and what cannot be followed', redis, async (t) => {
  const { primary } = await startServers(t, 0);
  const ambassador = await startAmbassador(t, { primary: primary.address });
  const clients = [
    { client: await ambassador.client(), says: '*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n' },
    { client: await ambassador.client(), says: '*1\r\n$7\r\nMONITOR\r\n' },
    { client: await ambassador.client(), says: '*1\r\n$4\r\nSYNC\r\n' },
  ];
  for (const { client, says } of clients) client.send(says);
  for (const { client } of clients.slice(0, 2)) await client.replies(1);
  await ambassador.daemon.drain();
  for (const { client } of clients) await client.closed();
  t.match(clients[0]?.client.bytes, /^\*3\r\n\$9\r\nsubscribe\r\n/);
  t.match(clients[1]?.client.bytes, /^\+OK\r\n/);
});
