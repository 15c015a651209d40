/**
 * StatsD over UDP at a fixed rate, for a fixed time:
 *
 *     node bench/load/statsd-sender.ts PORT '{"packetsPerSecond":10000,"linesPerPacket":40,"tags":true,"seconds":3}'
 *
 * The packets are made beforehand, so that sending is all that happens. What is due is sent each millisecond; a sender
 * that cannot keep up sends less, and says so. One line of JSON: packets and lines sent, seconds it took. With `series`
 * that many series are named once each instead, and the rate bounds how fast.
 */

import dgram from 'node:dgram';

interface Options {
  readonly packetsPerSecond: number;
  readonly linesPerPacket: number;
  readonly tags?: boolean;
  readonly seconds?: number;
  readonly series?: number;
}

const port = Number(process.argv[2]);
const options = JSON.parse(process.argv[3] ?? '{}') as Options;
const { packetsPerSecond, linesPerPacket, series } = options;
/** Names and tags that repeat themselves, as those of an application do. */
const distinct = 1000;

const packets = series === undefined ? repeated() : everySeries(series);
const total = series === undefined ? Math.round(packetsPerSecond * (options.seconds ?? 3)) : packets.length;

const socket = dgram.createSocket('udp4');
await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
let sent = 0;
const started = performance.now();
await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const elapsed = performance.now() - started;
    const due = Math.min(total, Math.floor((elapsed / 1000) * packetsPerSecond));
    // After a stall no burst makes up for it: what is measured is a rate, not a backlog.
    const most = Math.ceil(packetsPerSecond / 100);
    for (let burst = 0; sent < due && burst < most; burst++, sent++)
      socket.send(packets[sent % packets.length] ?? '');
    const isOver = series === undefined && elapsed >= (options.seconds ?? 3) * 1000;
    if (sent < total && !isOver) return;
    clearInterval(timer);
    resolve();
  }, 1);
});
const seconds = (performance.now() - started) / 1000;
socket.close(() => {
  process.stdout.write(`${JSON.stringify({ packets: sent, lines: sent * linesPerPacket, seconds })}\n`);
});

function repeated(): Buffer[] {
  const count = Math.max(distinct / linesPerPacket, 1) * 10;
  return Array.from({ length: count }, (_, packet) => joined(packet, (n) => line(n % distinct, n % 977)));
}

/** A hundred metrics, four labels, one of which tells the series apart. */
function everySeries(count: number): Buffer[] {
  return Array.from({ length: Math.ceil(count / linesPerPacket) }, (_, packet) =>
    joined(
      packet,
      (n) => `app.kept.metric${n % 100}:1|c|#env:prod,region:eu-west-${n % 10},code:${200 + (n % 5)},id:${n}`,
    ),
  );
}

function joined(packet: number, lineOf: (n: number) => string): Buffer {
  const lines = Array.from({ length: linesPerPacket }, (_, i) => lineOf(packet * linesPerPacket + i));
  return Buffer.from(lines.join('\n'));
}

function line(n: number, value: number): string {
  const name = `app.web${n % 10}.requests.count${n}`;
  return options.tags === true
    ? `${name}:${value}|c|#env:prod,region:eu-west-${n % 10},code:${200 + (n % 5)}`
    : `${name}:${value}|c`;
}
