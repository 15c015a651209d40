/** Says which data listeners other machines reach without TLS: as exposed as the address says, and named in the log. */

import type { Logger } from '../log/index.ts';
import { formatAddress, isLoopback } from './address.ts';
import type { Address } from './address.ts';

/** To be called once for each listener, with the address it is bound to. */
export function warnOfExposure(log: Logger, listener: string, address: Address): void {
  if (isLoopback(address)) return;
  log.warn('listening beyond loopback without TLS', { listener, address: formatAddress(address) });
}
