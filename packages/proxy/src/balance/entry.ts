/** The mutable side of EndpointState: only the Balancer writes it. */

import type { Endpoint } from '../catalog/endpoint.ts';
import type { EndpointState } from './types.ts';

export class Entry implements EndpointState {
  readonly key: string;
  endpoint: Endpoint;
  active = 0;
  picked = 0;
  failures = 0;
  ejectedUntilMs = 0;
  ejections = 0;
  removed = false;
  /** Length of the last ejection; staying in as long clears `ejections`. */
  lastEjectionMs = 0;
  /** Counts comebacks, so that what was remembered of an earlier life does not apply to this one. */
  life = 0;

  constructor(endpoint: Endpoint) {
    this.key = endpoint.key;
    this.endpoint = endpoint;
  }

  /** Back in the plan after having left it while connections were open: they still count, its failures do not. */
  revive(): void {
    this.removed = false;
    this.life++;
    this.failures = 0;
    this.ejections = 0;
    this.ejectedUntilMs = 0;
  }
}
