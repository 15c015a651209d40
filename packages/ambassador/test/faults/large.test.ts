/** Values larger than any buffer pass whole, in little memory, while others pass them. */

import { test } from 'tap';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { peakMiB, spawnAmbassador } from './setting.ts';
import { frame, Wire } from './wire.ts';

const redis = needs('redis-server', 'redis-cli');
const MIB = 1024 * 1024;

test('a 100 MiB value passes whole, both ways, in little memory', redis, async (t) => {
  const primary = await startRedis(t);
  const { port, process } = await spawnAmbassador(t, ['--primary', primary.address]);
  const other = await Wire.open(port, { t });
  const client = await Wire.open(port, { t });
  client.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${100 * MIB}\r\n`);
  const piece = Buffer.alloc(MIB, 'x');
  for (let i = 0; i < 100; i++) {
    await written(client, piece);
    t.equal(await other.ask('ECHO', 'x'), '$1\r\nx\r\n', 'others pass it');
  }
  client.send('\r\n');
  t.equal(await client.take(1), '+OK\r\n');
  t.equal(await other.ask('STRLEN', 'k'), `:${100 * MIB}\r\n`);
  const before = client.bytes;
  client.send(frame('GET', 'k'));
  await client.take(1);
  t.equal(client.bytes - before, 100 * MIB + '$104857600\r\n\r\n'.length);
  const peak = peakMiB(process);
  t.ok(peak < 300, `${Math.round(peak)} MiB at most`);
});

/** Resolves when the kernel has taken it, or the connection has ended. */
function written(wire: Wire, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => wire.socket.write(bytes, () => resolve()));
}
