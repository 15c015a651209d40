/**
 * The load of the programming benchmark: `programming-client.ts HOST:PORT TARGETS.json CHANGES`. Listens at two ports of
 * ten loopback addresses, says `ready PORT PORT`, and at each SIGUSR2 makes CHANGES changes: every time another Service's
 * endpoints move to the other port, and its published port is connected to without a pause until a connection arrives there.
 * Answers with one line of JSON, the milliseconds from sending the write to that arrival.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { endpointAddresses, slicesPath } from '../harness/mesh.ts';

const [api = '', file = '', changeCount = '100'] = process.argv.slice(2);
const [host = '', apiPort = '0'] = api.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
/** When a connection last arrived, by port. */
const arrivals = new Map<number, number>();
const ports = [await listenAtAll(), await listenAtAll()];
/** Which of the two ports each Service's endpoints have now. */
const current = new Map<string, number>();
let turn = 0;

process.on('SIGUSR2', () => {
  void run().then((latencies) => process.stdout.write(`${JSON.stringify(latencies)}\n`));
});
process.stdout.write(`ready ${ports.join(' ')}\n`);

async function run(): Promise<number[]> {
  // Written between `ready` and the first signal.
  const targets = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>);
  const latencies: number[] = [];
  for (let i = 0; i < Number(changeCount); i++) {
    const [name = '', published = 0] = targets[turn++ % targets.length] ?? [];
    latencies.push(await change(name, published));
  }
  return latencies;
}

async function change(name: string, published: number): Promise<number> {
  const next = current.get(name) === 1 ? 0 : 1;
  current.set(name, next);
  const port = ports[next] ?? 0;
  arrivals.delete(port);
  const started = performance.now();
  const written = patch(`${slicesPath}/${name}`, { ports: [{ name: 'http', protocol: 'TCP', port }] });
  while (!arrivals.has(port)) await connectOnce(published);
  await written;
  return (arrivals.get(port) ?? Number.NaN) - started;
}

/** The backend hangs up at once, so that the connection's end says that it has arrived somewhere. */
function connectOnce(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('close', () => resolve());
    socket.resume();
  });
}

/** The same free port of every address. */
async function listenAtAll(): Promise<number> {
  let port = 0;
  for (const address of endpointAddresses) {
    const server = createServer((socket) => {
      const bound = (server.address() as AddressInfo).port;
      if (!arrivals.has(bound)) arrivals.set(bound, performance.now());
      socket.on('error', () => socket.destroy());
      socket.end('.');
    });
    server.listen(port, address);
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  }
  return port;
}

function patch(path: string, body: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const request = http.request(
      { host, port: apiPort, path, method: 'PATCH', headers, agent },
      (response) => {
        response.resume();
        response.once('end', () =>
          response.statusCode === 200
            ? resolve()
            : reject(new Error(`PATCH ${path}: ${response.statusCode}`)),
        );
      },
    );
    request.once('error', reject);
    request.end(JSON.stringify(body));
  });
}
