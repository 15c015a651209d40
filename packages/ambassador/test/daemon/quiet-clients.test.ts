/** Of ten thousand clients most are quiet: what one of them holds is counted, in objects that are alive. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { queryObjects } from 'node:v8';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { needs } from '../../../../test/harness/index.ts';
import type { Teardown } from '../../../../test/harness/index.ts';
import { Session } from '../../src/session/session.ts';
import { startAmbassador, startServers } from '../session/setting.ts';
import type { Client, Running } from '../session/setting.ts';

const tools = needs('redis-server', 'redis-cli');
const count = 100;
const get = '*2\r\n$3\r\nGET\r\n$1\r\nk\r\n';

/** Clients that have asked one thing each. */
async function quietClients(amb: Running): Promise<Client[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => amb.client()));
  for (const client of clients) client.send(get);
  await Promise.all(clients.map((client) => client.replies(1)));
  return clients;
}

/** The sockets that servers of this process make for their clients from now on. */
function acceptedSockets(t: Teardown): WeakRef<Socket>[] {
  const accepted: WeakRef<Socket>[] = [];
  const note = (message: unknown): void =>
    void accepted.push(new WeakRef((message as { socket: Socket }).socket));
  subscribe('net.server.socket', note);
  t.teardown(() => unsubscribe('net.server.socket', note));
  return accepted;
}

/** How many there are; garbage is collected first. */
function alive(kind: typeof Session | typeof Set): number {
  return queryObjects(kind, { format: 'count' });
}

test('a quiet client has the socket that was accepted, and no set of its own', tools, async (t) => {
  const { primary } = await startServers(t, 0);
  const amb = await startAmbassador(t, { primary: primary.address });
  await quietClients(amb);
  const [sessions, sets] = [alive(Session), alive(Set)];
  const accepted = acceptedSockets(t);
  const clients = await quietClients(amb);
  t.equal(alive(Session) - sessions, count);
  const more = alive(Set) - sets;
  t.ok(more < count / 2, `${more} sets`);
  t.equal(accepted.length, count);
  t.ok(accepted.every((one) => one.deref()?.destroyed === false));

  for (const client of clients) client.send(get.repeat(100));
  await Promise.all(clients.map((client) => client.replies(100)));
  await eventually('the sockets they had before are free', () => {
    t.equal(alive(Session) - sessions, count);
    return accepted.every((one) => one.deref() === undefined);
  });

  for (const client of clients) client.socket.destroy();
  await eventually('nothing is left of them', () => alive(Session) === sessions);
});

test('a client that becomes busy is served on, whatever makes it so', tools, async (t) => {
  const { primary } = await startServers(t, 0);
  const amb = await startAmbassador(t, { primary: primary.address });
  const often = await amb.client();
  for (let i = 0; i < 40; i++) {
    often.send(`*3\r\n$6\r\nAPPEND\r\n$1\r\na\r\n$2\r\n${10 + i}\r\n`);
    t.strictSame(await often.replies(1), [`:${2 * (i + 1)}\r\n`]);
  }
  const much = await amb.client();
  const value = 'v'.repeat(600);
  const fromClient = (): Promise<number> => amb.metric('bytes_total', 'peer="client",direction="in"');
  const before = await fromClient();
  // The beginning comes before the socket changes.
  much.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$600\r\n${value.slice(0, 100)}`);
  await eventually('the beginning is there', async () => (await fromClient()) > before);
  much.send(`${value.slice(100)}\r\n${get}`);
  t.strictSame(await much.replies(2), ['+OK\r\n', `$600\r\n${value}\r\n`]);
  const text = Array.from({ length: 40 }, (_, i) => `${10 + i}`).join('');
  much.send('*2\r\n$3\r\nGET\r\n$1\r\na\r\n');
  t.strictSame(await much.replies(1), [`$80\r\n${text}\r\n`]);
});
