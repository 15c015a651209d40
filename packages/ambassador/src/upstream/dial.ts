/** Connecting to a Redis server, with TLS where it asks for it. */

import type { Net } from '@outrigger/core/net';
import type { OnReadOpts, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Server } from './server.ts';
import { tlsOptions } from './server-tls.ts';
import type { DialTls } from './server-tls.ts';

/** Idle time before TCP keepalive probes: a server that vanished without a word is noticed even between commands. */
const keepAliveMs = 30_000;

/** The socket's event after which it may be used. */
export function readyEvent(server: Server): 'connect' | 'secureConnect' {
  return server.tls ? 'secureConnect' : 'connect';
}

/** `tls` undefined: Node's authorities, and no certificate of ours. */
export function dial(server: Server, net: Net, tls?: DialTls, onread?: OnReadOpts): Socket {
  const socket = net.connect(server.address, {
    noDelay: true,
    keepAliveMs,
    ...(onread === undefined ? {} : { onread }),
  });
  if (!server.tls) return socket;
  const secure = connectTls({ socket, ...tlsOptions(server, tls) });
  socket.once('error', (error) => secure.destroy(error));
  return secure;
}
