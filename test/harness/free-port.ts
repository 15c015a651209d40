/**
 * A port for a program that cannot be told "any free one".
 *
 * Between our look and the program's bind the port belongs to nobody. Asking the kernel for any port would return one
 * of the range it gives to outgoing connections, so a busy machine takes it in between; these come from below that range,
 * at random, so that test files running side by side rarely try the same.
 */

import { createServer } from 'node:net';

const LOWEST = 13_000;
const HIGHEST = 29_999;

export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (await isFree(port, host)) return port;
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
