import { seededRandom } from '@outrigger/core/clock';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'tap';
import { backend, exchange, fixture, poolOf } from './fixture.ts';

test('bytes pass both ways, a half-close is passed on, everything is counted', async (t) => {
  const echo = await backend(t, (socket) => {
    let got = '';
    socket.on('data', (chunk) => (got += String(chunk)));
    socket.on('end', () => socket.end(`<${got}>`));
  });
  const { number, page, settled } = await fixture(t, poolOf([echo.port]));
  t.equal(await exchange(number, 'hello'), '<hello>');
  await settled();
  const text = await page();
  t.match(text, /outrigger_proxy_connections_opened_total\{service="default\/web",port="http"\} 1\n/);
  t.match(text, /outrigger_proxy_connections_closed_total\{service="default\/web",port="http"\} 1\n/);
  t.match(text, /outrigger_proxy_connections_active\{service="default\/web",port="http"\} 0\n/);
  t.match(text, /outrigger_proxy_bytes_total\{service="default\/web",port="http",direction="received"\} 5\n/);
  t.match(text, /outrigger_proxy_bytes_total\{service="default\/web",port="http",direction="sent"\} 7\n/);
  t.match(text, /outrigger_proxy_dial_duration_seconds_count\{service="default\/web",port="http"\} 1\n/);
  t.notMatch(text, /outrigger_proxy_failures_total\{/);
});

test('checksummed transfers: random sizes, slow readers, both directions at once, half-closes', async (t) => {
  const seed = 20_26;
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  // The backend answers with the digest of what it got, after having sent a stream of its own whose digest the client checks.
  const server = await backend(t, (socket) => {
    const digest = createHash('sha256');
    const stream = pattern(random);
    socket.on('data', (chunk) => {
      digest.update(chunk);
      dawdle(socket, random);
    });
    void sendAll(socket, stream.chunks).then(() => stream.digest);
    socket.on('end', () => {
      const finish = (): void => void socket.end(Buffer.concat([digest.digest(), stream.digest]));
      if (stream.sent()) finish();
      else stream.done = finish;
    });
  });
  const { number, settled } = await fixture(t, poolOf([server.port]));
  const transfer = async (): Promise<boolean> => {
    const socket = connect({ host: '127.0.0.1', port: number, allowHalfOpen: true });
    const mine = pattern(random);
    const got: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => {
      got.push(chunk);
      dawdle(socket, random);
    });
    void sendAll(socket, mine.chunks).then(() => socket.end());
    await once(socket, 'end');
    const all = Buffer.concat(got);
    const tail = all.subarray(all.length - 64);
    const theirs = createHash('sha256')
      .update(all.subarray(0, all.length - 64))
      .digest();
    return tail.subarray(0, 32).equals(mine.digest) && tail.subarray(32).equals(theirs);
  };
  let whole = 0;
  const rounds = 6;
  const abreast = 25;
  for (let round = 0; round < rounds; round++) {
    const results = await Promise.all(Array.from({ length: abreast }, transfer));
    whole += results.filter(Boolean).length;
  }
  t.equal(whole, rounds * abreast, 'every stream arrived whole, in order, in both directions');
  await settled();
});

test('a reader that stalls until everything in between is full still gets every byte', async (t) => {
  const seed = 7;
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const total = 32 * 2 ** 20;
  const digest = createHash('sha256');
  let sent = 0;
  let stalled = false;
  const server = await backend(t, (socket) => {
    const send = (): void => {
      // Chunks below the relay's high-water mark: a write of one may wait while the next is already read.
      const chunk = Buffer.alloc(5000 + Math.floor(random.next() * 50_000), String(sent));
      digest.update(chunk);
      sent += chunk.length;
      const goOn = socket.write(chunk);
      if (sent >= total) socket.end();
      else if (goOn) setImmediate(send);
      else {
        stalled = true;
        socket.once('drain', () => {
          stalled = false;
          send();
        });
      }
    };
    socket.resume();
    send();
  });
  const { number, settled } = await fixture(t, poolOf([server.port]));
  const client = connect(number, '127.0.0.1');
  const got = createHash('sha256');
  let received = 0;
  client.on('data', (chunk: Buffer) => {
    got.update(chunk);
    received += chunk.length;
    // Stops after every few chunks until the backend cannot send any more.
    if (random.next() < 0.05 && sent < total) {
      client.pause();
      const wait = (): void => void (stalled || sent >= total ? client.resume() : setImmediate(wait));
      wait();
    }
  });
  await once(client, 'end');
  t.equal(received, sent);
  t.equal(got.digest('hex'), digest.digest('hex'));
  await settled();
});

test('a reset on one side is a reset on the other', async (t) => {
  const server = await backend(t, (socket) => {
    socket.once('data', () => socket.resetAndDestroy());
  });
  const { number, page, settled } = await fixture(t, poolOf([server.port]));
  await t.rejects(exchange(number, 'x'), { code: 'ECONNRESET' });
  await settled();
  const client = connect({ host: '127.0.0.1', port: number });
  await once(client, 'connect');
  while (server.sockets.size === 0) await new Promise((resolve) => setImmediate(resolve));
  const [upstream] = [...server.sockets];
  const broken = once(upstream!, 'close');
  client.resetAndDestroy();
  await t.rejects(broken, { code: 'ECONNRESET' });
  await settled();
  t.match(await page(), /failures_total\{service="default\/web",port="http",reason="client-reset"\} 1\n/);
});

interface Pattern {
  readonly chunks: Buffer[];
  readonly digest: Buffer;
  readonly sent: () => boolean;
  done: (() => void) | undefined;
}

/** Between nothing and about 600 KiB in chunks from one byte to 100 KiB. */
function pattern(random: { next(): number }): Pattern & { markSent: () => void } {
  const count = Math.floor(random.next() * 8);
  const chunks = Array.from({ length: count }, () => {
    const size = 1 + Math.floor(random.next() ** 3 * 100_000);
    return Buffer.alloc(
      size,
      Buffer.from(Array.from({ length: 251 }, () => Math.floor(random.next() * 256))),
    );
  });
  const digest = createHash('sha256');
  for (const chunk of chunks) digest.update(chunk);
  let sent = false;
  const self = {
    chunks,
    digest: digest.digest(),
    sent: () => sent,
    done: undefined as (() => void) | undefined,
    markSent: () => {
      sent = true;
      self.done?.();
    },
  };
  Object.defineProperty(chunks, 'markSent', { value: self.markSent });
  return self;
}

async function sendAll(socket: Socket, chunks: Buffer[]): Promise<void> {
  for (const chunk of chunks) if (!socket.write(chunk)) await once(socket, 'drain');
  (chunks as unknown as { markSent: () => void }).markSent();
}

/** Now and then stops reading for a few turns, so that writes have to wait. */
function dawdle(socket: Socket, random: { next(): number }): void {
  if (random.next() > 0.2) return;
  socket.pause();
  let turns = Math.floor(random.next() * 20);
  const step = (): void => void (turns-- > 0 ? setImmediate(step) : socket.resume());
  step();
}
