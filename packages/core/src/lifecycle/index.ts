/** The first joint: a daemon is a function. `up`, tests and simulations compose daemons through this and nothing else. */

export type { Daemon, Deps, StartDaemon, Health } from './daemon.ts';
export type { DaemonDefinition, Role } from './definition.ts';
export { Cleanup } from './cleanup.ts';
export { Dirty } from './dirty.ts';
export { version } from './version.ts';
