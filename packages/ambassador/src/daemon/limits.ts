/** Every limit and interval of the ambassador: what it bounds, its default, and what moving it does. */

export interface AmbassadorLimits {
  /** Client connections at once; further ones get an error and are closed. Each costs up to three descriptors. */
  readonly maxSessions: number;
  /** Commands of one session sent and not yet answered; above it the client is not read from. */
  readonly maxPipelined: number;
  /** Bytes kept of unanswered reads, so that they can be repeated; above it the client is not read from. */
  readonly maxRepeatableBytes: number;
  /**
   * A request up to this size is held until it is whole. A larger write is passed on as it arrives; a larger read, which
   * has no business being that large, ends routing for its session (splice).
   */
  readonly maxHeldBytes: number;
  /**
   * Reply bytes waiting for a client that does not read; above it its server is not read from. Too low, and a client
   * that sends a long pipeline before it reads anything waits for itself.
   */
  readonly maxReplyBacklogBytes: number;
  /** To connect to a server, TLS and AUTH included. */
  readonly connectTimeoutMs: number;
  /** After a failed connection to the primary, commands fail at once for so long instead of each trying again. */
  readonly failFastMs: number;
  /** Between two rounds of asking every server where it is, when nobody needs to know sooner. */
  readonly pollIntervalMs: number;
  /** A server that does not answer the poller for so long takes no reads. Lower than the slowest command: false alarms. */
  readonly pollTimeoutMs: number;
  /** Least time between rounds that sessions ask for. Lower: sessions return to replicas sooner, servers are asked more. */
  readonly roundSpacingMs: number;
  /** A session without a write for so long may hold a read back until a replica has proven itself. */
  readonly handoverAfterMs: number;
  /** How long such a read is held at most; then the primary answers it. */
  readonly handoverWaitMs: number;
  /** After a hold in vain, how long until the next. */
  readonly handoverIntervalMs: number;
  /** With readPolicy `replica`: how long a read waits for a usable replica before it fails. */
  readonly replicaWaitMs: number;
  /** How long a client whose connection we end may take to close its side. */
  readonly lingerMs: number;
  /** A spliced session is closed on drain once it has been silent for so long. */
  readonly drainQuietMs: number;
}

export const defaultLimits: AmbassadorLimits = Object.freeze({
  maxSessions: 10_000,
  maxPipelined: 10_000,
  maxRepeatableBytes: 1024 * 1024,
  maxHeldBytes: 64 * 1024,
  maxReplyBacklogBytes: 16 * 1024 * 1024,
  connectTimeoutMs: 2_000,
  failFastMs: 100,
  pollIntervalMs: 1_000,
  pollTimeoutMs: 1_000,
  roundSpacingMs: 10,
  handoverAfterMs: 50,
  handoverWaitMs: 25,
  handoverIntervalMs: 100,
  replicaWaitMs: 1_000,
  lingerMs: 1_000,
  drainQuietMs: 250,
});
