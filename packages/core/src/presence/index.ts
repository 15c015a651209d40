/** Presence: a Lease per daemon, for service discovery and the dashboard; never needed for traffic. */

export type { PresenceFacts } from './lease.ts';
export { leaseName } from './lease.ts';
export type { Presence, PresenceDeps, PresenceOptions } from './presence.ts';
export { startPresence } from './presence.ts';
export type { ConnectedPresence } from './connected.ts';
export { startConnectedPresence } from './connected.ts';
