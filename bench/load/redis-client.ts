/**
 * Redis clients that mix reads and writes on each connection, as fast as answers come or at a fixed rate:
 *
 *     node bench/load/redis-client.ts PORT '{"clients":50,"seconds":3,"reads":0.5,"rate":30000}'
 *
 * Keys hold 64 bytes, so that every reply has a known length and need not be parsed: this program must cost less than
 * what it loads. At a fixed rate the time of a command counts from when it was due, not from when it was sent: a server
 * that stalls is charged with everything that queued up meanwhile. If it was this program that stalled, the figures mean
 * nothing: `stalled` tells. One line of JSON: commands measured, allCommands with those of the warm-up, perSecond, p50
 * and p99 in milliseconds, stalled as a share of the time.
 */

import { connect } from 'node:net';
import type { Socket } from 'node:net';

interface Options {
  readonly clients: number;
  readonly seconds: number;
  readonly reads: number;
  readonly rate?: number;
}

const port = Number(process.argv[2]);
const { clients, seconds, reads, rate } = JSON.parse(process.argv[3] ?? '{}') as Options;
/** Warmed up, unmeasured, for this long first. */
const warmUpMs = 500;
const keys = 1000;
const value = 'v'.repeat(64);
const getReply = `$64\r\n${value}\r\n`.length;
const setReply = '+OK\r\n'.length;
const [dollar, plus] = [36, 43];

const gets = Array.from({ length: keys }, (_, i) => command('GET', key(i)));
const sets = Array.from({ length: keys }, (_, i) => command('SET', key(i), value));

/** Histogram of 10 µs, the last bucket open. */
const latencies = new Uint32Array(100_000);
let measuring = false;
let stopped = false;
let completed = 0;
/** The warm-up's too. */
let allCompleted = 0;
/** Milliseconds in which a fixed rate was to be kept and this program did not run. */
let stalledMs = 0;
/** Longer between two turns than any server on this CPU works at a stretch. */
const stallMs = 2;

class Client {
  readonly #socket: Socket;
  /** When each unanswered command was due, and whether it reads. */
  readonly #due: number[] = [];
  readonly #isRead: boolean[] = [];
  #partial = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).on('data', (chunk) => this.#received(chunk));
    socket.on('close', () => stopped || fail('a connection was closed'));
  }

  send(due: number): void {
    const read = Math.random() < reads;
    this.#due.push(due);
    this.#isRead.push(read);
    const index = Math.floor(Math.random() * keys);
    this.#socket.write((read ? gets : sets)[index] ?? '', 'latin1');
  }

  #received(chunk: Buffer): void {
    let at = -this.#partial;
    while (at < chunk.length) {
      const read = this.#isRead[0];
      if (read === undefined) fail('more replies than commands');
      if (at >= 0 && chunk[at] !== (read ? dollar : plus))
        fail(`unexpected reply: ${String(chunk.subarray(at))}`);
      const end = at + (read ? getReply : setReply);
      if (end > chunk.length) break;
      at = end;
      this.#completed();
    }
    this.#partial = chunk.length - at;
  }

  #completed(): void {
    this.#isRead.shift();
    const due = this.#due.shift() ?? 0;
    const now = performance.now();
    allCompleted++;
    if (measuring) {
      completed++;
      const bucket = Math.min(latencies.length - 1, Math.floor((now - due) * 100));
      latencies[bucket] = (latencies[bucket] ?? 0) + 1;
    }
    if (rate === undefined && !stopped) this.send(now);
  }
}

await fill();
const all = await Promise.all(Array.from({ length: clients }, open));
if (rate === undefined) for (const one of all) one.send(performance.now());
else pace(all, rate);
await after(warmUpMs);
measuring = true;
const started = performance.now();
await after(seconds * 1000);
measuring = false;
const elapsed = (performance.now() - started) / 1000;
stopped = true;
const stalled = stalledMs / (elapsed * 1000);
const rest = { perSecond: completed / elapsed, p50: at(0.5), p99: at(0.99), stalled };
const result = { commands: completed, allCommands: allCompleted, ...rest };
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));

/**
 * Each command at its moment, client by client. Timers are a millisecond apart, which would send bursts, so this spins;
 * whoever starts it sees to it that nothing on this CPU waits for it (`chrt --idle`).
 */
function pace(on: readonly Client[], perSecond: number): void {
  const begun = performance.now();
  let sent = 0;
  let last = begun;
  const turn = (): void => {
    const now = performance.now();
    if (measuring && now - last > stallMs) stalledMs += now - last;
    last = now;
    const owed = ((now - begun) * perSecond) / 1000;
    for (; sent < owed; sent++) on[sent % on.length]?.send(begun + (sent * 1000) / perSecond);
    if (!stopped) setImmediate(turn);
  };
  turn();
}

async function fill(): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  let awaited = keys * setReply;
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      awaited -= chunk.length;
      if (awaited === 0) resolve();
    });
    socket.on('close', () => awaited > 0 && fail('closed while the keys were written'));
    socket.write(sets.join(''), 'latin1');
  });
  socket.destroy();
  // Replicas have them too before the first read.
  await after(200);
}

function open(): Promise<Client> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(new Client(socket)));
    socket.on('error', (error) => fail(error.message));
  });
}

function at(q: number): number {
  const rank = Math.ceil(q * completed);
  let seen = 0;
  const bucket = latencies.findIndex((count) => (seen += count) >= rank);
  return (bucket + 0.5) / 100;
}

function key(index: number): string {
  return `bench:${index}`;
}

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function fail(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
