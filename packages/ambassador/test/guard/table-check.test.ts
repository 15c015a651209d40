/** The primary's own COMMAND is followed where it is stricter than the table. */

import { encodeReply } from '@outrigger/core/resp';
import type { RespValue } from '@outrigger/core/resp';
import { eventually, testDeps } from '@outrigger/core/testing';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import { LiveCommands } from '../../src/commands/live.ts';
import { CommandTable } from '../../src/commands/table.ts';
import { TableCheck } from '../../src/daemon/table-check.ts';
import { needs, startRedis } from '../../../../test/harness/index.ts';
import { command, startAmbassador } from '../session/setting.ts';

const redis = needs('redis-server', 'redis-cli');

const word = (text: string): RespValue => ({ type: 'bulk', bytes: Buffer.from(text) });
const number = (value: number): RespValue => ({ type: 'integer', value: BigInt(value) });
const list = (...items: RespValue[]): RespValue => ({ type: 'list', items });
/** GET writes, says this server. */
const strict = list(list(word('get'), number(2), list(word('write')), number(1), number(1), number(1)));

test('a server is asked when the ambassador starts', redis, async (t) => {
  const server = await startRedis(t);
  const question = Buffer.from(command('COMMAND'));
  const relay = createServer((client) => {
    const upstream = connect(server.port, '127.0.0.1');
    client.on('data', (bytes) => {
      if (question.equals(bytes)) client.write(encodeReply(strict));
      else upstream.write(bytes);
    });
    upstream.pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  t.teardown(() => relay.close());
  const primary = `127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const amb = await startAmbassador(t, { primary });
  await eventually('GET is a write', async () => {
    const why = (await (await fetch(`${amb.adminUrl}/debug/why?command=GET%20k`)).json()) as {
      class: string;
    };
    return why.class === 'write';
  });
});

test('each process that becomes primary is asked once, again where it could not be', async (t) => {
  const table = new CommandTable();
  let runId: string | undefined;
  let fails = true;
  const asked: string[] = [];
  const check = new TableCheck({
    live: new LiveCommands(table, () => Promise.resolve(strict)),
    runId: () => runId,
    ask: () => {
      asked.push(runId ?? '');
      return fails ? Promise.reject(new Error('lost')) : Promise.resolve(strict);
    },
    log: testDeps().log,
  });
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const look = async (): Promise<void> => {
    check.look();
    check.look();
    await settled();
  };
  await look();
  t.strictSame(asked, [], 'there is nobody to ask');
  runId = 'first';
  await look();
  fails = false;
  await look();
  await look();
  t.strictSame(asked, ['first', 'first']);
  t.equal(table.named('GET')?.route, 'write');
  runId = 'second';
  await look();
  t.strictSame(asked, ['first', 'first', 'second']);
});
