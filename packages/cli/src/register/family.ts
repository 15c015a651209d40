/** The address type of an EndpointSlice. */

import { isIPv6 } from 'node:net';

export function familyOf(address: string): 'IPv4' | 'IPv6' {
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}
