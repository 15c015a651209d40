/** Clients that leave in the middle of something, or never read: nothing is executed, kept or held up by them. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import type { Redis } from '../../../../test/harness/index.ts';
import { peakMiB, spawnAmbassador, startAmbassador } from './setting.ts';
import { frame, Wire } from './wire.ts';

const redis = needs('redis-server', 'redis-cli');
const MIB = 1024 * 1024;

async function info(server: Redis, field: string): Promise<number> {
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(await server.cli('INFO'))?.[1]);
}

test('a client that never reads is not held for: memory stays bounded, others go on', redis, async (t) => {
  const primary = await startRedis(t);
  const { port, process } = await spawnAmbassador(t, ['--primary', primary.address]);
  const other = await Wire.open(port, { t });
  await other.ask('SET', 'big', 'x'.repeat(100 * 1024));
  await other.ask('SET', 'small', 'y'.repeat(100));
  const hogs = await Promise.all([0, 1, 2, 3].map(() => Wire.open(port, { t })));
  for (const [i, hog] of hogs.entries()) {
    hog.socket.pause();
    // 200 MB of large replies, or of small ones.
    hog.send(i % 2 === 0 ? frame('GET', 'big').repeat(2_000) : frame('GET', 'small').repeat(2_000_000));
  }
  let before = -1;
  await eventually(
    'the server sends nothing more',
    async () => {
      for (let i = 0; i < 50; i++)
        t.equal(await other.ask('ECHO', String(i)), `$${String(i).length}\r\n${i}\r\n`);
      const now = await info(primary, 'total_net_output_bytes');
      const quiet = now - before < 100_000;
      before = now;
      return quiet;
    },
    20_000,
  );
  t.equal(await other.ask('SET', 'k', 'v'), '+OK\r\n');
  t.comment(`${Math.round(before / MIB)} MiB were asked of the server, of 800`);
  const peak = peakMiB(process);
  t.ok(peak < 500, `${Math.round(peak)} MiB at most`);
});

test('a client that leaves in the middle of a transaction leaves nothing behind', redis, async (t) => {
  const primary = await startRedis(t);
  const amb = await startAmbassador(t, { primary: primary.address });
  const beginnings: Record<string, string> = {
    'queued commands': frame('MULTI') + frame('INCR', 'n'),
    'a queued half command': frame('MULTI') + frame('INCR', 'n') + frame('EXEC').slice(0, -4),
    'a failed transaction': frame('MULTI') + frame('NOSUCH'),
    'a watch': frame('WATCH', 'w'),
    'a watch and queued commands': frame('WATCH', 'w') + frame('MULTI') + frame('INCR', 'n'),
    'a database': frame('SELECT', '5') + frame('MULTI') + frame('INCR', 'n'),
    silence: frame('CLIENT', 'REPLY', 'OFF'),
    subscriptions: frame('SUBSCRIBE', 'c') + frame('PSUBSCRIBE', '*'),
    tracking: frame('HELLO', '3') + frame('CLIENT', 'TRACKING', 'ON', 'BCAST'),
    monitoring: frame('MONITOR'),
    'a name': frame('CLIENT', 'SETNAME', 'gone') + frame('MULTI'),
  };
  for (const [what, bytes] of Object.entries(beginnings)) {
    const leaver = await Wire.open(amb.port);
    leaver.send(bytes);
    if (what !== 'silence') await leaver.take(1);
    leaver.destroy();
    await eventually(`${what}: nobody is in a transaction`, async () => {
      return !/multi=[0-9]|flags=[^ ]*[xdPO]|name=gone/.test(await primary.cli('CLIENT', 'LIST'));
    });
    // Whoever gets that connection next finds it as new.
    const clients = await Promise.all([0, 1, 2].map(() => Wire.open(amb.port)));
    for (const client of clients) {
      t.match(await client.ask('EXEC'), /^-ERR EXEC without MULTI/, `${what}: no transaction`);
      t.equal(await client.ask('WATCH', 'other'), '+OK\r\n');
    }
    await primary.cli('SET', 'w', what);
    for (const client of clients) {
      t.equal(await client.ask('MULTI'), '+OK\r\n', `${what}: every command is answered`);
      t.equal(await client.ask('ECHO', 'x'), '+QUEUED\r\n');
      t.equal(await client.ask('EXEC'), '*1\r\n$1\r\nx\r\n', `${what}: no watch, no RESP3, database 0`);
      client.destroy();
    }
    t.equal(await primary.cli('-n', '0', 'EXISTS', 'n'), '0', `${what}: nothing was executed`);
    t.equal(await primary.cli('-n', '5', 'EXISTS', 'n'), '0', `${what}: nothing was executed`);
  }
});

test('a client that leaves in the middle of a 100 MiB value', redis, async (t) => {
  const primary = await startRedis(t);
  const { port, process } = await spawnAmbassador(t, ['--primary', primary.address]);
  const other = await Wire.open(port, { t });
  await other.ask('SET', 'k', 'old');
  const connections = await info(primary, 'connected_clients');
  for (const sent of [0, 1, 50, 99]) {
    const leaver = await Wire.open(port);
    leaver.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${100 * MIB}\r\n`);
    const piece = Buffer.alloc(MIB, 'x');
    for (let i = 0; i < sent; i++) await written(leaver, piece);
    leaver.destroy();
    t.equal(await other.ask('GET', 'k'), '$3\r\nold\r\n', `left after ${sent} MiB: nothing was executed`);
  }
  await eventually('no connection is left over', async () => (await info(primary, 'connected_clients')) <= connections + 1); // prettier-ignore
  const peak = peakMiB(process);
  t.ok(peak < 300, `${Math.round(peak)} MiB at most`);
});

test('a client that has said all it wants and closes its side is still answered', redis, async (t) => {
  const primary = await startRedis(t);
  const amb = await startAmbassador(t, { primary: primary.address });
  const client = await Wire.open(amb.port, { t });
  client.send(frame('INCR', 'n') + frame('MULTI') + frame('INCR', 'n') + frame('EXEC'));
  client.socket.end();
  t.equal(await client.take(4), ':1\r\n+OK\r\n+QUEUED\r\n*1\r\n:2\r\n');
  await client.closed();
});

/** Resolves when the kernel has taken it, or the connection has ended. */
function written(wire: Wire, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => wire.socket.write(bytes, () => resolve()));
}
