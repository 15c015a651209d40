/** What is known of a client that has just connected. */

import type { Address } from '@outrigger/core/net';
import type { Socket } from 'node:net';
import { noPins } from '../session/state.ts';
import type { Identity, SessionState } from '../session/state.ts';

export const defaultIdentity: Identity = Object.freeze({
  user: undefined,
  password: undefined,
  protocol: 2,
  database: 0,
});

export interface Client {
  readonly id: number;
  /** `IP:PORT`, or the socket's path with `:0` as Redis writes it. */
  readonly peer: string;
  readonly local: string;
}

export function addressesOf(socket: Socket, listen: Address): Omit<Client, 'id'> {
  const path = listen.kind === 'unix' ? listen.path : '';
  const address = (host: string | undefined, port: number | undefined): string =>
    host === undefined ? `${path}:0` : `${host.includes(':') ? `[${host}]` : host}:${port ?? 0}`;
  return {
    peer: address(socket.remoteAddress, socket.remotePort),
    local: address(socket.localAddress, socket.localPort),
  };
}

export function newSession(client: Client, authenticated: boolean, nowMs: number): SessionState {
  return {
    ...client,
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
    pins: noPins,
    serverId: 0,
    counts: { sub: 0, psub: 0, ssub: 0, multi: 0, watch: 0 },
    lastMs: nowMs,
    lastCommand: '',
    commands: 0,
  };
}
