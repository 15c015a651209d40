/** Backends that misbehave: nothing crashes, no socket is left over, and every refusal is counted with its reason. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { startProcess } from '../harness/index.ts';
import type { Teardown } from '../harness/index.ts';
import { Control } from './mesh/daemons.ts';
import type { Running } from './mesh/daemons.ts';
import { addEndpoint, createPolicy, createService, removeEndpoint } from './mesh/objects.ts';
import { ask, attempt, backend, openSockets, portOf } from './mesh/traffic.ts';

const clients = 20;

async function mesh(
  t: Teardown,
  endpoints: readonly number[],
  policy: Readonly<Record<string, unknown>> = {},
) {
  const control = await new Control(t).start();
  const client = await control.client();
  await createService(client);
  await createPolicy(client, { ejection: { consecutiveFailures: 0 }, ...policy });
  for (const port of endpoints) await addEndpoint(client, port);
  const proxy = await control.proxy(['default/web:http=127.0.0.1:0']);
  return { client, proxy, port: portOf(proxy.daemon.addresses['default/web:http']) };
}

async function failures({ deps }: Running, reason: string): Promise<number> {
  const line = new RegExp(`^outrigger_proxy_failures_total\\{[^}]*reason="${reason}"\\} (\\d+)$`, 'm');
  return Number(line.exec(await deps.metrics.page())?.[1] ?? 0);
}

/** All at once, and each one's fate. */
function attempts(port: number): Promise<string[]> {
  return Promise.all(Array.from({ length: clients }, () => attempt(port)));
}

function noneLeft(before: number): Promise<unknown> {
  return eventually('all sockets are closed', () => openSockets() <= before);
}

interface Misbehaviour {
  readonly name: string;
  readonly behave: (socket: Socket) => void;
  /** What each client sees; it sends 4 bytes and half-closes. */
  readonly seen: readonly string[];
  readonly reasons: readonly string[];
}

const misbehaviours: Misbehaviour[] = [
  {
    name: 'resets at once',
    behave: (socket) => socket.resetAndDestroy(),
    seen: ['ECONNRESET'],
    // The reset may overtake the end of the handshake.
    reasons: ['dial-error', 'upstream-no-answer'],
  },
  {
    name: 'takes the question and resets',
    behave: (socket) => void socket.once('data', () => socket.resetAndDestroy()),
    seen: ['ECONNRESET'],
    reasons: ['upstream-no-answer'],
  },
  {
    name: 'answers half and resets',
    behave: (socket) => {
      socket.once('data', () => socket.write('half', () => socket.resetAndDestroy()));
    },
    seen: ['ECONNRESET'],
    reasons: ['upstream-reset'],
  },
];

for (const { name, behave, seen, reasons } of misbehaviours) {
  test(`a backend that ${name}`, async (t) => {
    const bad = await backend(t, behave);
    const { client, proxy, port } = await mesh(t, [bad.port]);
    const before = openSockets();
    for (const fate of await attempts(port)) t.ok(seen.includes(fate), `${fate}: never taken for an answer`);
    const counts = await Promise.all(reasons.map((reason) => failures(proxy, reason)));
    t.equal(
      counts.reduce((sum, count) => sum + count, 0),
      clients,
      `each counted as ${reasons.join(' or ')}`,
    );
    t.equal(bad.accepted(), clients, 'none was tried again after its bytes had left');
    t.ok(await noneLeft(before));

    const good = await backend(t);
    await addEndpoint(client, good.port);
    await removeEndpoint(client, bad.port);
    await eventually('the proxy goes on', async () => (await attempt(port)) === String(good.port));
  });
}

test('a backend that accepts and closes: an end without a byte, counted, and the backend ejected', async (t) => {
  const bad = await backend(t, (socket) => socket.resume().end());
  const good = await backend(t);
  const { proxy, port } = await mesh(t, [bad.port, good.port], {
    ejection: { consecutiveFailures: 3, baseEjectionTime: '60s', maxEjectionTime: '60s' },
  });
  const before = openSockets();
  const asked = async (): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    socket.write('who?');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.end();
    });
    await once(socket, 'close');
    return Buffer.concat(chunks).toString().trim();
  };
  await eventually('ejected', async () => {
    await asked();
    return proxy.deps.lines.join('').includes('endpoint ejected');
  });
  const accepted = bad.accepted();
  const answers = await Promise.all(Array.from({ length: clients }, asked));
  t.same(new Set(answers), new Set([String(good.port)]), 'afterwards every client gets an answer');
  t.equal(bad.accepted(), accepted);
  t.equal(await failures(proxy, 'upstream-no-answer'), 3);
  t.ok(await noneLeft(before));
});

test('a backend that never accepts: the dial times out, the next endpoint answers', async (t) => {
  const script = fileURLToPath(new URL('mesh/never-accepts.mjs', import.meta.url));
  const stuck = await startProcess(t, process.execPath, [script]);
  const stuckPort = Number((await stuck.matched(/port (\d+)/))[1]);
  // The kernel accepts as many as the queue holds; the next one hangs.
  for (let hanging = false; !hanging;) {
    const filler = connect({ host: '127.0.0.1', port: stuckPort });
    t.teardown(() => filler.destroy());
    hanging = await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), 1000);
      filler.on('error', () => {});
      filler.once('connect', () => {
        clearTimeout(timer);
        resolve(false);
      });
    });
  }
  const good = await backend(t);
  const { client, proxy, port } = await mesh(t, [stuckPort, good.port], { connectTimeout: '1s' });
  const before = openSockets();
  for (const answer of await attempts(port)) t.equal(answer, String(good.port));
  const timeouts = await failures(proxy, 'dial-timeout');
  t.ok(timeouts > 0 && timeouts <= clients, `${timeouts} dials timed out`);
  t.ok(await noneLeft(before));

  await removeEndpoint(client, good.port);
  const gone = (): Promise<boolean> => attempt(port).then((fate) => fate === 'ECONNRESET');
  await eventually('only the stuck one is left: a reset, not a wait', gone);
  t.ok((await failures(proxy, 'all-tried')) > 0);
});

test('nobody listens, and no endpoints at all', async (t) => {
  const dead = await backend(t);
  await dead.close();
  const { client, proxy, port } = await mesh(t, [dead.port]);
  const before = openSockets();
  t.same(new Set(await attempts(port)), new Set(['ECONNRESET']));
  t.equal(await failures(proxy, 'dial-refused'), clients);
  t.equal(await failures(proxy, 'all-tried'), clients);
  await removeEndpoint(client, dead.port);
  await eventually('no endpoints', async () => {
    await attempt(port);
    return (await failures(proxy, 'no-endpoints')) > 0;
  });
  t.ok(await noneLeft(before));
});

test('more connections than the policy allows', async (t) => {
  const slow = await backend(t, () => {});
  const { proxy, port } = await mesh(t, [slow.port], { connectionLimit: { total: 5 } });
  const before = openSockets();
  const sockets = Array.from({ length: clients }, () => connect({ host: '127.0.0.1', port }));
  const fates = sockets.map(
    (socket) => new Promise((resolve) => socket.on('error', resolve).on('close', resolve)),
  );
  await eventually('the rest is refused', async () => (await failures(proxy, 'total-limit')) === clients - 5);
  await eventually('the allowed ones arrive', () => slow.sockets.size === 5);
  for (const socket of sockets) socket.destroy();
  await Promise.all(fates);
  for (const socket of slow.sockets) socket.destroy();
  t.ok(await noneLeft(before));
  const answer = eventually('there is room again', () => slow.accepted() > 5);
  const socket = connect({ host: '127.0.0.1', port });
  await answer;
  socket.destroy();
});

test('closing the proxy ends what is open and what is being dialled', async (t) => {
  const silent = await backend(t, () => {});
  const before = openSockets();
  const { proxy, port } = await mesh(t, [silent.port]);
  const waiting = Array.from({ length: 5 }, () =>
    ask(port).catch((error: NodeJS.ErrnoException) => error.code),
  );
  await eventually('they are connected', () => silent.sockets.size === 5);
  await proxy.daemon.close();
  await Promise.all(waiting);
  for (const socket of silent.sockets) socket.destroy();
  t.ok(await noneLeft(before));
});
