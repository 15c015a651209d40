/** A backend whose process is stuck: the kernel completes handshakes until the queue is full, then drops them. */

import { createServer } from 'node:net';
import { writeSync } from 'node:fs';

const server = createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  writeSync(1, `port ${server.address().port}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
