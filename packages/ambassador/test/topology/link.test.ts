import { test } from 'tap';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '@outrigger/core/clock';
import { systemNet } from '@outrigger/core/net';
import { eventually } from '@outrigger/core/testing';
import { freePort, needs, startRedis } from '../../../../test/harness/index.ts';
import type { Teardown } from '../../../../test/harness/index.ts';
import { Link } from '../../src/topology/link.ts';
import type { Heard } from '../../src/topology/link.ts';
import { serverAt } from '../../src/upstream/server.ts';

const redis = needs('redis-server', 'redis-cli');

function link(
  t: Teardown,
  port: number,
  limits: { pollTimeoutMs?: number; primarySilenceMs?: number } = {},
): {
  link: Link;
  ended: { times: number };
} {
  const ended = { times: 0 };
  const opened = new Link(
    serverAt({ kind: 'tcp', host: '127.0.0.1', port }),
    {
      clock: systemClock(),
      net: systemNet(),
      credentials: () => undefined,
      limits: { pollTimeoutMs: 1000, primarySilenceMs: 6000, ...limits },
    },
    () => ended.times++,
  );
  t.teardown(() => opened.close());
  return { link: opened, ended };
}

/** A server that answers each command by its name; undefined is never. */
async function fake(t: Teardown, answer: (command: string) => string | undefined): Promise<number> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      for (const [, command = ''] of data
        .toString()
        .matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n(?:\$\d+\r\n(?!\*)\S+\r\n)*/g)) {
        const reply = answer(command.toLowerCase());
        if (reply !== undefined) socket.write(reply);
      }
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  return (listener.address() as AddressInfo).port;
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const facts =
  'run_id:r1\r\navailability_zone:z1\r\nrole:master\r\nmaster_replid:h1\r\nmaster_repl_offset:5\r\n';
const why = (heard: Heard): string => (heard.kind === 'sample' ? 'sample' : `${heard.kind}: ${heard.why}`);

test('a server says what it is, and its end is noticed at once', redis, async (t) => {
  const server = await startRedis(t);
  const { link: opened, ended } = link(t, server.port);
  const heard = await opened.ask();
  t.match(heard, { kind: 'sample', sample: { role: 'master', runId: /^\w{40}$/, loading: false } });
  t.equal(await opened.call('ECHO', 'x'), 'x');
  await t.rejects(opened.call('NOSUCH'), /unknown command/);
  server.process.signal('SIGKILL');
  await eventually('it is noticed', () => ended.times === 1);
  t.equal(why(await opened.ask()), 'gone: ECONNREFUSED');
  await t.rejects(opened.call('PING'), /ECONNREFUSED/);
});

test('a server that is paused is silent, not gone, until that lasts', redis, async (t) => {
  const server = await startRedis(t);
  const { link: opened, ended } = link(t, server.port, { pollTimeoutMs: 50, primarySilenceMs: 300 });
  await opened.ask();
  server.process.signal('SIGSTOP');
  t.equal(why(await opened.ask()), 'silent: it did not answer within 50 ms');
  t.equal(why(await opened.ask()), 'silent: it did not answer within 50 ms', 'and is not asked twice');
  server.process.signal('SIGCONT');
  await eventually('it answers again', async () => (await opened.ask()).kind === 'sample');
  server.process.signal('SIGSTOP');
  await eventually('given up', async () => (await opened.ask()).kind === 'gone');
  server.process.signal('SIGCONT');
  await eventually('it answers again', async () => (await opened.ask()).kind === 'sample');
  t.equal(ended.times, 0);
});

test('what keeps a server from telling', async (t) => {
  const say = async (answers: Record<string, string | undefined>): Promise<Heard> => {
    const port = await fake(t, (command) => (command in answers ? answers[command] : '+OK\r\n'));
    return link(t, port, { pollTimeoutMs: 200 }).link.ask();
  };
  const info = bulk(facts);
  t.match(await say({ info, ping: '+PONG\r\n' }), {
    kind: 'sample',
    sample: { runId: 'r1', zone: 'z1', loading: false },
  });
  t.match(await say({ info, ping: '-LOADING it is\r\n' }), { kind: 'sample', sample: { loading: true } });
  t.match(await say({ info, ping: '-NOPERM no\r\n' }), { kind: 'sample', sample: { loading: false } });
  t.equal(why(await say({ info, ping: '-BUSY a script\r\n' })), 'busy: BUSY a script');
  t.match(why(await say({ info: '-NOPERM no INFO\r\n' })), /^gone: it does not tell its run_id/);
  const locked = await say({ info: '-NOAUTH who are you\r\n', ping: '-NOAUTH who are you\r\n' });
  t.match(locked, { kind: 'sample', sample: { role: 'master' } }, 'it lives, and tells nothing');
  t.match(why(await say({ info: bulk('run_id:r1\r\n') })), /^gone: it does not tell its replication id/);
  t.equal(why(await say({ info: undefined })), 'gone: it did not answer within 200 ms');
  t.match(why(await say({ info: '?garbage\r\n' })), /^gone: /);
});

test('a link that is closed opens no more', async (t) => {
  const { link: opened } = link(t, await freePort());
  opened.close();
  t.equal(why(await opened.ask()), 'gone: closed');
});
