/** A port nobody listens on just now. */

import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range the kernel takes outgoing ports from, so that no connection can slip in before the listener. */
const lowest = 20_000;
const highest = 29_999;

/** `preferred` when it is free, any other otherwise. */
export async function freePort(preferred = 0): Promise<number> {
  const candidate = preferred === 0 ? lowest + Math.floor(Math.random() * (highest - lowest)) : preferred;
  return (await isFree(candidate)) ? candidate : freePort();
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    // In use: whoever asked tries another.
    return false;
  } finally {
    server.close();
  }
}
