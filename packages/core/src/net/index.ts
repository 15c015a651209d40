/** Addresses, listening and dialling: the only way daemons touch the network. */

export type { Address, ServiceTarget, Target, TcpAddress } from './address.ts';
export { formatAddress, isLoopback, parseAddress, parseTarget } from './address.ts';
export { http } from './lean-http.ts';
export type {
  ConnectOptions,
  DatagramListener,
  DatagramOptions,
  ListenOptions,
  Listener,
  Net,
} from './net.ts';
export { systemNet } from './net.ts';
export type { ReadOptions } from './onread.ts';
export { readInto } from './onread.ts';
export type { RelayEnd, RelayHooks } from './relay.ts';
export { Relay, RelayShare } from './relay.ts';
export { resetSocket } from './reset.ts';
export { warnOfExposure } from './exposure.ts';
