/**
 * What an application does without an adapter: StatsD lines counted with prom-client, which renders 100,000 series
 * with four labels for every scrape. Prints its two ports, and on SIGUSR2 how many packets it got.
 */

import dgram from 'node:dgram';
import { createServer } from 'node:http';
import { Counter, Registry } from 'prom-client';

const registry = new Registry();
const labelNames = ['env', 'region', 'code', 'n'];
const counter = new Counter({ name: 'kept_total', help: 'Series.', labelNames, registers: [registry] });
for (let n = 0; n < 100_000; n++)
  counter.inc({ env: 'prod', region: `eu-${n % 10}`, code: 200, n: String(n) });

let packets = 0;
const udp = dgram.createSocket('udp4', () => (packets += 1));
const page = createServer((_request, response) => void registry.metrics().then((text) => response.end(text)));
process.on('SIGUSR2', () => process.stdout.write(`GOT ${packets}\n`));
udp.bind(0, '127.0.0.1', () => {
  page.listen(0, '127.0.0.1', () => {
    const { port } = page.address() as { port: number };
    process.stdout.write(`READY ${udp.address().port} ${port}\n`);
  });
});
