/** The app of the demo: a small HTTP server that answers with its name and reports to StatsD, as any app might. */

import dgram from 'node:dgram';
import http from 'node:http';

const [name = 'backend', port = '0', statsd = ''] = process.argv.slice(2);
const [statsdHost = '127.0.0.1', statsdPort = ''] = statsd.split(':');
const udp = dgram.createSocket('udp4').unref();

const server = http.createServer((request, response) => {
  const started = performance.now();
  if (request.url === '/healthz') {
    response.end('ok\n');
    return;
  }
  response.setHeader('content-type', 'text/plain');
  response.end(`hello from ${name} (pid ${process.pid})\n`);
  if (statsdPort === '') return;
  const micros = (performance.now() - started) / 1000;
  udp.send(
    `demo.requests:1|c|#backend:${name}\ndemo.seconds:${micros}|h|#backend:${name}`,
    Number(statsdPort),
    statsdHost,
  );
});
server.listen(Number(port), '127.0.0.1');

process.once('SIGTERM', () => {
  // What is under way is answered; connections kept alive for nothing are not waited for.
  server.close();
  server.closeIdleConnections();
});
