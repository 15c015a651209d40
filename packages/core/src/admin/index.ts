/** The operator's side of a daemon: health, metrics, debug, drain, reload over plain HTTP on `--admin`. */

export type { AdminOptions, AdminServer, DebugPage } from './admin.ts';
export { startAdmin } from './admin.ts';
