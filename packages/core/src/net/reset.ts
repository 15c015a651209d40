/** Ends a connection with a reset: the peer learns that what it got is not the whole. */

import type { Socket } from 'node:net';

/**
 * A reset while our own FIN is still on its way fails inside Node (EINVAL), and then the socket never closes and its
 * descriptor leaks. Such a socket is closed instead; the kernel resets it itself when it holds bytes nobody has read.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
