/**
 * A shop that reports in two old ways: counters and timers by StatsD as things happen, its stock as JSON when asked. It
 * knows nothing of Prometheus.
 *
 *     node examples/metrics-adapter/app.mjs [STATSD-PORT [HTTP-PORT]]
 */

import dgram from 'node:dgram';
import http from 'node:http';

const [statsdPort = 9125, httpPort = 8081] = process.argv.slice(2).map(Number);
const stock = new Map([
  ['apples', 120],
  ['pears', 80],
]);
const socket = dgram.createSocket('udp4');
socket.unref();

const send = (...lines) => socket.send(lines.join('\n'), statsdPort, '127.0.0.1');

/** `POST /orders/apples` sells one; `GET /stock` is what there is. */
const server = http.createServer((request, response) => {
  const started = performance.now();
  const item = /^\/orders\/(\w+)$/.exec(request.url ?? '')?.[1];
  if (request.method === 'POST' && item !== undefined && (stock.get(item) ?? 0) > 0) {
    stock.set(item, stock.get(item) - 1);
    response.writeHead(201).end();
    send(
      `shop.orders.${item}.placed:1|c`,
      `shop.checkout:${(performance.now() - started).toFixed(3)}|ms|#item:${item}`,
    );
  } else if (request.url === '/stock') {
    const items = [...stock].map(([name, left]) => ({ name, left, soldOut: left === 0 }));
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ shop: 'corner', items }));
  } else {
    response.writeHead(404).end();
  }
});
server.listen(httpPort, '127.0.0.1', () => console.log(`shop on http://127.0.0.1:${server.address().port}`));
