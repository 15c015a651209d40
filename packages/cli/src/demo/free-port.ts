/** A port nobody uses just now. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** `preferred` when it is free, any other otherwise. */
export async function freePort(preferred = 0): Promise<number> {
  const server = createServer();
  try {
    server.listen(preferred, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch {
    // Taken: the kernel chooses.
    return freePort(0);
  } finally {
    server.close();
  }
}
