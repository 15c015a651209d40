/** Connecting to a Redis server, with TLS where it asks for it. */

import type { Net } from '@outrigger/core/net';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Server } from './server.ts';

/** Idle time before TCP keepalive probes: a server that vanished without a word is noticed even between commands. */
const keepAliveMs = 30_000;

/** The socket's event after which it may be used. */
export function readyEvent(server: Server): 'connect' | 'secureConnect' {
  return server.tls ? 'secureConnect' : 'connect';
}

export function dial(server: Server, net: Net): Socket {
  const socket = net.connect(server.address, { noDelay: true, keepAliveMs });
  if (!server.tls) return socket;
  const host = server.address.kind === 'tcp' ? server.address.host : 'localhost';
  // A name is sent so that the server can pick its certificate; an address cannot be (RFC 6066), but is verified too.
  const secure = connectTls({ socket, host, ...(isIP(host) === 0 ? { servername: host } : {}) });
  socket.once('error', (error) => secure.destroy(error));
  return secure;
}
