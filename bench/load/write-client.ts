/**
 * Writers over HTTP: `write-client.ts outrigger|etcd HOST:PORT WRITERS SECONDS`. Each writer overwrites its own 1 KiB
 * value, one write at a time, over a connection of its own. Prints one line of JSON. Requests are made by hand, so that
 * the client does not set the pace.
 */

import { connect } from 'node:net';
import type { Socket } from 'node:net';

const [mode = 'outrigger', address = '', writerCount = '64', seconds = '3'] = process.argv.slice(2);
const [host = '', port = '0'] = address.split(':');
const valueBytes = 1024;
const configMaps = '/api/v1/namespaces/default/configmaps';

interface Writer {
  readonly socket: Socket;
  readonly id: number;
}

type Encode = (id: number, count: number) => Buffer;

const encoders: Record<string, Encode> = {
  outrigger: (id, count) =>
    httpRequest('PUT', `${configMaps}/writer-${id}`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `writer-${id}` },
      data: { value: value(count) },
    }),
  etcd: (id, count) =>
    httpRequest('POST', '/v3/kv/put', { key: base64(`writer-${id}`), value: base64(value(count)) }),
};

const encode = encoders[mode] as Encode;
const latencies: number[] = [];
let failures = 0;
const writers = await Promise.all(Array.from({ length: Number(writerCount) }, (_, id) => open(id)));
for (const { socket, id } of writers) {
  if (mode === 'outrigger') {
    const body = { metadata: { name: `writer-${id}` }, data: { value: value(0) } };
    await exchange(socket, httpRequest('POST', configMaps, body));
  }
}
const started = performance.now();
const until = started + Number(seconds) * 1000;
await Promise.all(writers.map((writer) => write(writer)));
const took = (performance.now() - started) / 1000;
latencies.sort((a, b) => a - b);
const at = (q: number): number => latencies[Math.floor(q * (latencies.length - 1))] ?? 0;
const writes = latencies.length;
process.stdout.write(
  `${JSON.stringify({ writes, perSecond: writes / took, p50: at(0.5), p99: at(0.99), failures })}\n`,
);
for (const { socket } of writers) socket.destroy();

async function write({ socket, id }: Writer): Promise<void> {
  for (let count = 1; performance.now() < until; count++) {
    const request = encode(id, count);
    const begun = performance.now();
    const status = await exchange(socket, request);
    latencies.push(performance.now() - begun);
    if (status !== 200 && status !== 201) failures++;
  }
}

function open(id: number): Promise<Writer> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host, () => resolve({ socket, id }));
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}

/** Sends one request and resolves with the status once the whole answer, which names its length, is here. */
function exchange(socket: Socket, request: Buffer): Promise<number> {
  return new Promise((resolve) => {
    let answer = '';
    const take = (chunk: Buffer): void => {
      answer += chunk.toString('latin1');
      const head = answer.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(answer)?.[1] ?? 0);
      if (answer.length < head + 4 + length) return;
      socket.off('data', take);
      resolve(Number(answer.slice(9, 12)));
    };
    socket.on('data', take);
    socket.write(request);
  });
}

function httpRequest(method: string, path: string, body: object): Buffer {
  const text = JSON.stringify(body);
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nHost: ${address}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
}

function value(count: number): string {
  return `${count}`.padEnd(valueBytes, 'x');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
