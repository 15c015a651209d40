/** What is known of a client that has just connected. */

import type { Address } from '@outrigger/core/net';
import type { Socket } from 'node:net';
import type { Identity, SessionState } from '../session/state.ts';

export const defaultIdentity: Identity = Object.freeze({
  user: undefined,
  password: undefined,
  protocol: 2,
  database: 0,
});

export function newSession(
  id: number,
  socket: Socket,
  listen: Address,
  authenticated: boolean,
  nowMs: number,
): SessionState {
  const path = listen.kind === 'unix' ? listen.path : '';
  const address = (host: string | undefined, port: number | undefined): string =>
    host === undefined ? `${path}:0` : `${host.includes(':') ? `[${host}]` : host}:${port ?? 0}`;
  return {
    id,
    peer: address(socket.remoteAddress, socket.remotePort),
    local: address(socket.localAddress, socket.localPort),
    sinceMs: nowMs,
    identity: defaultIdentity,
    userName: 'default',
    authenticated,
    name: '',
    consistency: undefined,
    readPolicy: undefined,
    libName: '',
    libVer: '',
    reply: 'on',
    noEvict: false,
    noTouch: false,
    pins: new Set(),
    serverId: 0,
    lastMs: nowMs,
    lastCommand: '',
    commands: 0,
  };
}
