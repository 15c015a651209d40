/** What a connection to a server was doing when it failed, from what it failed with. */

import type { Refusal } from '../upstream/welcome.ts';
import { Phase } from './names.ts';

/** Codes of Node and OpenSSL: `ERR_TLS_CERT_ALTNAME_INVALID`, `DEPTH_ZERO_SELF_SIGNED_CERT`, `ERR_SSL_…`, `EPROTO`. */
const tlsCodes = /^(ERR_TLS|ERR_SSL|EPROTO)|CERT/;
/** What we say of a server that cannot be followed; everything else is a code of the system. */
const breaches = /^it (does not speak RESP|sent )/;

export function phaseOf({ why, error }: Refusal, was: 'opening' | 'open'): Phase {
  if (error !== undefined) return Phase.login;
  if (breaches.test(why)) return Phase.breached;
  if (was === 'open') return Phase.open;
  return tlsCodes.test(why) ? Phase.tls : Phase.dial;
}
