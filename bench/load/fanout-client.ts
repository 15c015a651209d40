/**
 * The clients of the fan-out benchmark: `fanout-client.ts HOST:PORT WATCHERS EVENTS`. Opens the watches, says `ready`,
 * and at each SIGUSR2 changes one Service EVENTS times, each time waiting until every watcher has been told, so that no
 * two events share a write. Answers with one line of JSON.
 */

import { connect } from 'node:net';
import http from 'node:http';

const [address = '', watcherCount = '1000', eventCount = '100'] = process.argv.slice(2);
const [host = '', port = '0'] = address.split(':');
const watchers = Number(watcherCount);
const events = Number(eventCount);
const path = '/api/v1/namespaces/default/services';
/** Makes the object about 1.3 kB long. */
const filler = 'x'.repeat(700);
const lineFeed = 10;

let received = 0;
let bytes = 0;
let onReceived: () => void = () => {};

const list = (await call('GET', path)) as { metadata: { resourceVersion: string } };
for (let i = 0; i < watchers; i++) await open(list.metadata.resourceVersion);
process.on('SIGUSR2', () => {
  void run().then((result) => process.stdout.write(`${JSON.stringify(result)}\n`));
});
process.stdout.write('ready\n');

async function run(): Promise<object> {
  const latencies: number[] = [];
  bytes = 0;
  for (let i = 0; i < events; i++) {
    received = 0;
    const all = new Promise<void>((resolve) => {
      onReceived = resolve;
    });
    const started = performance.now();
    await call('PATCH', `${path}/fanout`, { metadata: { annotations: { filler, run: `${started}` } } });
    await all;
    latencies.push(performance.now() - started);
  }
  latencies.sort((a, b) => a - b);
  const at = (q: number): number => latencies[Math.floor(q * (latencies.length - 1))] ?? 0;
  const delivered = watchers * events;
  return { delivered, bytesPerEvent: bytes / delivered, p50: at(0.5), p99: at(0.99) };
}

/** A watch as raw bytes: parsing every event would make the client the bottleneck. */
function open(resourceVersion: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host);
    socket.once('error', reject);
    socket.write(
      `GET ${path}?watch=1&resourceVersion=${resourceVersion} HTTP/1.1\r\nHost: ${address}\r\n\r\n`,
    );
    socket.once('data', () => {
      socket.on('data', count);
      resolve();
    });
  });
}

/** An event is the only line that ends in a bare line feed; chunk framing has CR LF. */
function count(chunk: Buffer): void {
  bytes += chunk.length;
  for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) {
    if (chunk[at - 1] === 125 && ++received === watchers) onReceived();
  }
}

function call(method: string, target: string, body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const request = http.request({ host, port, path: target, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () =>
        response.statusCode === 200
          ? resolve(JSON.parse(text))
          : reject(new Error(`${method} ${target}: ${text}`)),
      );
    });
    request.once('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
