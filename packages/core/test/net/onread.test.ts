import { readInto } from '@outrigger/core/net';
import type { ReadOptions } from '@outrigger/core/net';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'tap';

interface Pair {
  readonly accepted: Socket;
  readonly theirs: Socket;
  readonly connections: () => Promise<number>;
}

async function pair(t: { teardown(run: () => unknown): void }): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const theirs = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => theirs.destroy());
  const [accepted] = (await once(server, 'connection')) as [Socket];
  const connections = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
  return { accepted, theirs, connections };
}

/** All is read into one buffer, and copied out of it. */
function copied(buffer: Buffer): ReadOptions {
  return { buffer: () => buffer, taken: (read) => Buffer.from(read) };
}

function reading(t: { teardown(run: () => unknown): void }, accepted: Socket, options: ReadOptions): Socket {
  const socket = readInto(accepted, options);
  if (socket === undefined)
    throw new Error('this Node cannot: see what has become of `handle` in net.Socket');
  t.teardown(() => socket.destroy());
  return socket;
}

test('an accepted connection is read into a buffer of ours, to its end, and can still be written to', async (t) => {
  const { accepted, theirs, connections } = await pair(t);
  const ours = Buffer.alloc(1024);
  const taken = (read: Buffer, buffer: Buffer): Buffer => {
    t.equal(buffer, ours, 'no other');
    t.equal(read.buffer, ours.buffer);
    return Buffer.from(read);
  };
  const socket = reading(t, accepted, { buffer: () => ours, taken });
  t.equal(socket.remotePort, theirs.localPort);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  theirs.write('one');
  await once(socket, 'data');
  theirs.end('two');
  await once(socket, 'end');
  t.equal(text, 'onetwo');
  t.equal(await connections(), 0, 'for the server it is over');
  socket.end('three');
  const [answer] = (await once(theirs, 'data')) as [Buffer];
  t.equal(answer.toString(), 'three', 'what is half closed is not closed');
});

test('paused, it is soon not read from, and goes on where it was', async (t) => {
  const { accepted, theirs } = await pair(t);
  let read = 0;
  let bytes = 0;
  const options = copied(Buffer.alloc(1024));
  const taken = (chunk: Buffer, buffer: Buffer): Buffer => {
    read += chunk.length;
    return options.taken(chunk, buffer);
  };
  const socket = reading(t, accepted, { ...options, taken });
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
  socket.pause();
  // More than the kernel takes.
  const whole = 32 * 2 ** 20;
  theirs.end(Buffer.alloc(whole));
  for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.equal(bytes, 0);
  t.ok(read <= 2 * socket.readableHighWaterMark, `${read} bytes`);
  socket.resume();
  await once(socket, 'end');
  t.equal(bytes, whole);
});

test('paused, it still learns that its peer is gone', async (t) => {
  const { accepted, theirs } = await pair(t);
  const socket = reading(t, accepted, copied(Buffer.alloc(1024)));
  socket.on('data', () => {});
  socket.pause();
  theirs.resetAndDestroy();
  await t.rejects(once(socket, 'close'), { code: 'ECONNRESET' });
});

test('where there is no handle nothing happens', async (t) => {
  const { accepted, theirs } = await pair(t);
  const without = Object.create(accepted, { _handle: { value: {} } }) as Socket;
  t.equal(readInto(without, copied(Buffer.alloc(1024))), undefined);
  theirs.end('as usual');
  const [chunk] = (await once(accepted, 'data')) as [Buffer];
  t.equal(chunk.toString(), 'as usual');
  accepted.destroy();
});

test('what was read as usual first is neither lost nor read twice', async (t) => {
  const { accepted, theirs } = await pair(t);
  const ours = Buffer.alloc(1024);
  let text = '';
  let socket: Socket | undefined;
  const heard = (chunk: Buffer): void => void (text += chunk.toString());
  accepted.on('data', (chunk: Buffer) => {
    heard(chunk);
    if (text.length < 3) return;
    socket = reading(t, accepted, copied(ours));
    socket.on('data', heard);
  });
  theirs.write('a');
  await once(accepted, 'data');
  theirs.write('bc');
  await once(accepted, 'close');
  if (socket === undefined) throw new Error('not moved');
  theirs.write('d');
  await once(socket, 'data');
  theirs.end('e');
  await once(socket, 'end');
  t.equal(text, 'abcde');
  t.equal(ours.toString('latin1', 0, 1), 'e', 'read into ours');
  socket.end('answer');
  const [answer] = (await once(theirs, 'data')) as [Buffer];
  t.equal(answer.toString(), 'answer');
});

test('nothing is taken from a socket that alone knows what is under way', async (t) => {
  const options = copied(Buffer.alloc(1024));
  const cases: Record<string, (one: Pair) => unknown> = {
    'it is paused': ({ accepted }) => accepted.pause(),
    'it holds what was read': async ({ accepted, theirs }) => {
      theirs.write('held');
      await once(accepted, 'readable');
      accepted.removeAllListeners('readable');
    },
    'its peer has ended': async ({ accepted, theirs }) => {
      theirs.end();
      await once(accepted.resume(), 'end');
    },
    'it has ended': ({ accepted }) => accepted.end(),
    'it has more to write than the kernel takes': ({ accepted }) =>
      accepted.write(Buffer.alloc(32 * 2 ** 20)),
    'it is over': ({ accepted }) => accepted.destroy(),
  };
  for (const [name, act] of Object.entries(cases)) {
    const one = await pair(t);
    await act(one);
    t.equal(readInto(one.accepted, options), undefined, name);
    one.accepted.destroy();
  }
});

test('an end that was read while it was paused still comes', async (t) => {
  const { accepted, theirs } = await pair(t);
  accepted.on('data', () => {});
  accepted.pause();
  theirs.end('last');
  const ended = (): boolean =>
    (accepted as unknown as { _readableState: { ended: boolean } })._readableState.ended;
  while (!ended()) await new Promise((resolve) => setImmediate(resolve));
  let moved: Socket | undefined;
  accepted.once('data', () => (moved = readInto(accepted, copied(Buffer.alloc(1024)))));
  accepted.resume();
  await once(accepted, 'end');
  t.equal(moved, undefined);
  accepted.destroy();
});
