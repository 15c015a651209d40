/** The metrics of a daemon's control connection. Series are per resource, however many watches of it there are. */

import type { Clock } from '../clock/index.ts';
import type { Family, Metrics } from '../metrics/index.ts';

/** What the page asks of each reflector when it is read. */
export interface Observed {
  readonly resource: string;
  /** Monotonic time of the last sign of life; undefined: none yet. */
  readonly heardAt: number | undefined;
  readonly records: number;
  readonly synced: boolean;
  readonly watching: boolean;
}

export class WatchMetrics {
  readonly reconnects: Family;
  readonly lists: Family;
  readonly events: Family;
  readonly changes: Family;
  readonly holds: Family;
  readonly snapshotSaves: Family;
  readonly snapshotErrors: Family;

  constructor(metrics: Metrics) {
    this.reconnects = metrics.counter({
      name: 'outrigger_watch_failures_total',
      help: 'Lists and watches that failed, by reason; each is tried again.',
      labels: ['resource', 'reason'],
    });
    this.lists = metrics.counter({
      name: 'outrigger_watch_lists_total',
      help: 'Complete lists received, by why the removals in it are distrusted (none: they are not).',
      labels: ['resource', 'doubt'],
    });
    this.events = metrics.counter({
      name: 'outrigger_watch_events_total',
      help: 'Watch events received.',
      labels: ['resource', 'type'],
    });
    this.changes = metrics.counter({
      name: 'outrigger_watch_changes_total',
      help: 'Records put and deleted, by what caused it.',
      labels: ['resource', 'cause', 'change'],
    });
    this.holds = metrics.counter({
      name: 'outrigger_watch_held_removals_total',
      help: 'Removals made to wait (--shrink-hold), by why.',
      labels: ['resource', 'doubt'],
    });
    this.snapshotSaves = metrics.counter({
      name: 'outrigger_snapshot_saves_total',
      help: 'Snapshots written to the state directory.',
    });
    this.snapshotErrors = metrics.counter({
      name: 'outrigger_snapshot_errors_total',
      help: 'Snapshots not written, or refused when read, by reason.',
      labels: ['reason'],
    });
  }
}

/** Families computed when the page is read. */
export function exposeState(
  metrics: Metrics,
  clock: Clock,
  state: {
    readonly observed: () => Iterable<Observed>;
    readonly waiting: () => Iterable<readonly [resource: string, removals: number]>;
    readonly savedAt: () => number | undefined;
  },
): void {
  const labels = ['resource'];
  const each = (value: (of: readonly Observed[]) => number | undefined) => () =>
    [...byResource(state.observed())].flatMap(([resource, of]) => {
      const answer = value(of);
      return answer === undefined ? [] : [{ labels: [resource], value: answer }];
    });
  metrics.collected(
    'gauge',
    {
      name: 'outrigger_watch_age_seconds',
      help: 'Time since the last sign of life of the quietest watch.',
      labels,
    },
    each((of) => {
      const times = of.flatMap(({ heardAt }) => (heardAt === undefined ? [] : [heardAt]));
      return times.length === 0 ? undefined : (clock.now() - Math.min(...times)) / 1_000;
    }),
  );
  metrics.collected(
    'gauge',
    { name: 'outrigger_watch_records', help: 'Records held.', labels },
    each((of) => of.reduce((sum, { records }) => sum + records, 0)),
  );
  metrics.collected(
    'gauge',
    {
      name: 'outrigger_watch_synced',
      help: '1 when all watches of the resource have listed or were restored.',
      labels,
    },
    each((of) => Number(of.every(({ synced }) => synced))),
  );
  metrics.collected(
    'gauge',
    { name: 'outrigger_watch_connected', help: '1 when all watches of the resource are open.', labels },
    each((of) => Number(of.every(({ watching }) => watching))),
  );
  metrics.collected(
    'gauge',
    { name: 'outrigger_watch_held_removals', help: 'Removals waiting now (--shrink-hold).', labels },
    () => [...state.waiting()].map(([resource, value]) => ({ labels: [resource], value })),
  );
  metrics.collected(
    'gauge',
    { name: 'outrigger_snapshot_age_seconds', help: 'Age of the last snapshot written.' },
    () => {
      const at = state.savedAt();
      return at === undefined ? [] : [{ labels: [], value: (clock.now() - at) / 1_000 }];
    },
  );
}

function byResource(observed: Iterable<Observed>): Map<string, Observed[]> {
  const groups = new Map<string, Observed[]>();
  for (const each of observed) {
    const group = groups.get(each.resource);
    if (group === undefined) groups.set(each.resource, [each]);
    else group.push(each);
  }
  return groups;
}
