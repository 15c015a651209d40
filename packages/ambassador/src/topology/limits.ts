/** Limits and intervals of looking for servers: what each bounds, its default, and what moving it does. */

export interface TopologyLimits {
  /**
   * Between two rounds while a shard has no primary. Grows to a twentieth of how long that has lasted, up to
   * `electionPollMaxMs`. Lower: promotions are seen sooner, servers are asked more.
   */
  readonly electionPollMs: number;
  readonly electionPollMaxMs: number;
  /**
   * A primary whose connection stands but which answers nothing for so long is given up. Redis answers BUSY for a script
   * that runs longer than five seconds. Lower: slow commands end with writes of unknown outcome.
   */
  readonly primarySilenceMs: number;
  /** Between two questions to the sentinels when none of their events asks for one. */
  readonly sentinelPollMs: number;
  /** Sentinels asked, with those that the configured ones know of. */
  readonly maxSentinels: number;
  /** How long a word of an older epoch than the newest that was heard counts for nothing. */
  readonly sentinelEpochHoldMs: number;
  /** Between two looks at a cluster's slots when nothing is doubted. */
  readonly slotRefreshMs: number;
  /** Nodes asked for the slots at once; the newest view counts. */
  readonly slotViews: number;
  /**
   * Between two questions to a primary whose replicas are read, whether slots of it move. Lower: a key that has just
   * moved is missed by reads at replicas for a shorter time, primaries are asked more.
   */
  readonly slotMarksMs: number;
  /** How long after the last sign that its slots move a shard is read at its primary alone. */
  readonly movingHoldMs: number;
  /** Shards of one cluster; nodes beyond them are not used. */
  readonly maxShards: number;
  /** Commands that must fail one after the other at a replica for it to be ejected. */
  readonly ejectAfterFailures: number;
  /** How long an ejected replica takes no reads at least; doubles with each ejection, up to `ejectMaxMs`. */
  readonly ejectMs: number;
  readonly ejectMaxMs: number;
}

export const defaultTopologyLimits: TopologyLimits = Object.freeze({
  electionPollMs: 25,
  electionPollMaxMs: 200,
  primarySilenceMs: 6_000,
  sentinelPollMs: 1_000,
  maxSentinels: 16,
  sentinelEpochHoldMs: 10_000,
  slotRefreshMs: 5_000,
  slotViews: 3,
  slotMarksMs: 200,
  movingHoldMs: 5_000,
  maxShards: 1_000,
  ejectAfterFailures: 3,
  ejectMs: 1_000,
  ejectMaxMs: 30_000,
});

/** How soon to ask again: as often as `steadyMs`, and more often as long as there is no primary. */
export function paceMs(
  absentMs: number | undefined,
  steadyMs: number,
  { electionPollMs, electionPollMaxMs }: Pick<TopologyLimits, 'electionPollMs' | 'electionPollMaxMs'>,
): number {
  if (absentMs === undefined) return steadyMs;
  return Math.min(steadyMs, electionPollMaxMs, Math.max(electionPollMs, absentMs / 20));
}
