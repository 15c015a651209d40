/** A workload for `register`: healthy until it is told otherwise, and gone on SIGTERM. */

import http from 'node:http';

const [port] = process.argv.slice(2);
let healthy = true;

const server = http.createServer((request, response) => {
  if (request.method === 'POST') healthy = request.url === '/healthy';
  response.statusCode = healthy || request.method === 'POST' ? 200 : 503;
  response.end(`${process.pid}\n`);
});
process.on('SIGHUP', () => process.stdout.write('reopened\n'));
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('begun\n'));
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
