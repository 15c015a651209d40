/** What controllers tell about themselves, and its form as metrics. */

import type { Metrics } from '@outrigger/core/metrics';

export type ControllerName = 'endpointslice' | 'endpoints' | 'mirror' | 'lifecycle' | 'gc';
export type Verb = 'create' | 'update' | 'delete';

export interface ControllerObserver {
  /** One key has been brought to its desired state. */
  synced(controller: ControllerName, durationMs: number): void;
  /** A sync failed and will be tried again; `conflict` is the harmless case of someone having been faster. */
  failed(controller: ControllerName, reason: 'conflict' | 'error'): void;
  wrote(controller: ControllerName, verb: Verb, kind: string): void;
  /** A sync was put off because the cache did not show the controller's own last write yet. */
  waited(controller: ControllerName): void;
  /** Keys waiting or being worked on; asked for when the page is read. */
  depth(controller: ControllerName, read: () => number): void;
  leasesExpired(pods: number): void;
  leasesRenewed(pods: number): void;
  podsRemoved(pods: number): void;
  /** Pods kept ready although their Lease expired, because too many did at once. */
  leasesHeld(read: () => number): void;
  eventsDropped(): void;
}

export function silentObserver(): ControllerObserver {
  const nothing = (): void => {};
  return {
    synced: nothing,
    failed: nothing,
    wrote: nothing,
    waited: nothing,
    depth: nothing,
    leasesExpired: nothing,
    leasesRenewed: nothing,
    podsRemoved: nothing,
    leasesHeld: nothing,
    eventsDropped: nothing,
  };
}

/** Counts everything under `outrigger_controller_*`. */
export function metricsObserver(metrics: Metrics): ControllerObserver {
  const prefix = 'outrigger_controller';
  const duration = metrics.histogram({
    name: `${prefix}_sync_duration_seconds`,
    help: 'Time to bring one object to its desired state, writes included.',
    labels: ['controller'],
  });
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    metrics.counter({ name: `${prefix}_${name}_total`, help, labels });
  const failures = counter('sync_failures', 'Syncs that failed and were tried again.', [
    'controller',
    'reason',
  ]);
  const writes = counter('writes', 'Objects written by controllers.', ['controller', 'verb', 'kind']);
  const waits = counter('stale_cache_waits', 'Syncs put off until the cache showed an own write.', [
    'controller',
  ]);
  const expired = counter('leases_expired', 'Registered pods marked not ready because their Lease expired.');
  const renewed = counter('leases_returned', 'Pods marked so whose Lease was renewed after all.');
  const removed = counter('pods_removed', 'Registered pods removed: long silent, or ended.');
  const dropped = counter('events_dropped', 'Events not written because there were too many at once.');
  const depths = new Map<ControllerName, () => number>();
  metrics.collected(
    'gauge',
    {
      name: `${prefix}_queue_depth`,
      help: 'Objects waiting for a controller or being worked on.',
      labels: ['controller'],
    },
    () => [...depths].map(([controller, read]) => ({ labels: [controller], value: read() })),
  );
  let held = (): number => 0;
  metrics.collected(
    'gauge',
    {
      name: `${prefix}_leases_held`,
      help: 'Pods kept ready although their Lease expired, because too many did at once.',
    },
    () => [{ labels: [], value: held() }],
  );
  return {
    synced: (controller, durationMs) => duration.observe(durationMs / 1_000, controller),
    failed: (controller, reason) => failures.add(1, controller, reason),
    wrote: (controller, verb, kind) => writes.add(1, controller, verb, kind),
    waited: (controller) => waits.add(1, controller),
    depth: (controller, read) => void depths.set(controller, read),
    leasesExpired: (pods) => expired.add(pods),
    leasesRenewed: (pods) => renewed.add(pods),
    podsRemoved: (pods) => removed.add(pods),
    leasesHeld: (read) => (held = read),
    eventsDropped: () => dropped.add(1),
  };
}
