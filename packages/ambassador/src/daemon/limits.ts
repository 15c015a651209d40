/**
 * Every limit and interval of the ambassador: what it bounds, its default, and what moving it does. Those of the first
 * group stand in the configuration (`limits`), which has their defaults (core/api, redis-limits.ts); the others are
 * constants.
 */

import { defaultsOf, durationMs, redisLimits, sizeBytes } from '@outrigger/core/api';
import type { RedisLimits } from '@outrigger/core/api';
import { defaultTopologyLimits } from '../topology/limits.ts';
import type { TopologyLimits } from '../topology/limits.ts';

export interface ConfiguredLimits {
  /** Client connections at once, TLS handshakes included; further ones get an error and are closed. Each is a descriptor. */
  readonly maxClients: number;
  /** Commands of one client received and not yet answered; above it the client is not read from. */
  readonly maxPipelined: number;
  /** Arguments of one command; above it the client gets a protocol error. Nothing is kept per argument. */
  readonly maxArguments: number;
  /** Bytes of one argument, as announced; above it the client gets a protocol error. Redis' own limit is the default. */
  readonly maxBulkBytes: number;
  /** Bytes of a command sent as a line of words. */
  readonly maxInlineBytes: number;
  /** Aggregates within aggregates in a reply; above it the server is taken to be out of protocol. */
  readonly maxDepth: number;
  /**
   * A command up to this size is held until it is whole. A larger one passes as it arrives, on a connection of its own.
   * Raised: fewer connections for large values, more bytes held for each client that sends slowly.
   */
  readonly maxHeldBytes: number;
  /** Bytes kept of a client's unanswered commands, so that they can be sent again; above it the client is not read from. */
  readonly maxRepeatableBytes: number;
  /**
   * Reply bytes waiting for a client that does not read; above it the client is cut off, since shared connections
   * cannot wait for it. Too low, and a client that sends a long pipeline before it reads anything is cut off.
   */
  readonly maxClientOutputBytes: number;
  /** Bytes of commands and replies that wait anywhere; above it the client that holds the most is closed. */
  readonly maxBufferedBytes: number;
  /** Commands of all clients that wait for a primary; further ones fail at once. */
  readonly maxWaiting: number;
  /** Shared connections to one server. Lower: fewer users, databases and protocols can have one of their own at a time. */
  readonly maxLinesPerServer: number;
  /** Connections to one server that belong to one client for a while; above it a command waits, then gets an error. */
  readonly maxLeasesPerServer: number;
  /** Clean ones of them kept open for the next client, for each server. Raised: less connecting, more idle descriptors. */
  readonly maxIdleLeases: number;
  /** A client that sends nothing and waits for nothing so long is cut off; 0: never. */
  readonly idleTimeoutMs: number;
  /** For a client's TLS handshake. Lower than a slow network needs: such clients never get in. */
  readonly handshakeTimeoutMs: number;
  /** To connect to a server, TLS and AUTH included. */
  readonly connectTimeoutMs: number;
  /** Between two rounds of asking every server where it is, when nobody needs to know sooner. */
  readonly pollIntervalMs: number;
  /** A server that does not answer the poller for so long takes no reads. Lower than the slowest command: false alarms. */
  readonly pollTimeoutMs: number;
}

export interface AmbassadorLimits extends ConfiguredLimits, TopologyLimits {
  /**
   * Reply bytes of a connection of its own waiting for a client that does not read; above it its server is not read
   * from. Too low, and a client that sends a long pipeline before it reads anything waits for itself.
   */
  readonly maxReplyBacklogBytes: number;
  /**
   * With an answer larger than this a client gets connections of its own; so large its answers are also taken to be until
   * the first is known. Lower: more connections. Raised: clients wait longer for each other's answers.
   */
  readonly largeReplyBytes: number;
  /** It keeps them until no answer has been large for so long. */
  readonly largeQuietMs: number;
  /** How long a command waits for a connection that a limit does not allow at the moment; then it is refused. */
  readonly connectionWaitMs: number;
  /** A connection that was lent and that nobody wants for so long is closed. */
  readonly leaseIdleMs: number;
  /**
   * What a client has to itself at a server that is configured no longer (a transaction, a subscription, BLPOP) ends after
   * so long. Raised: such clients go on longer with a server that nobody else uses.
   */
  readonly removedServerMs: number;
  /** What a server has refused to a user or for a database is not asked again before. */
  readonly refusalMs: number;
  /** Of how many of these it is remembered. */
  readonly maxRefusals: number;
  /** Connections to one server opened at a time for users and databases that it has not let in before. */
  readonly maxStrangers: number;
  /** After a failed connection to the primary, commands fail at once for so long instead of each trying again. */
  readonly failFastMs: number;
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
  /** On drain a subscriber is closed after so long, and what cannot be followed once its server has been silent so long. */
  readonly drainQuietMs: number;
  /**
   * How long a server may take to say what a command is that the table does not know. Lower: behind a slow command of
   * others it is taken for a write, which is safe.
   */
  readonly questionTimeoutMs: number;
  /** What was counted of a server stays on the page for so long after it is gone. Lower: it may go without being scraped. */
  readonly forgetAfterMs: number;
  /** Between two looks at the files of certificates and passwords. */
  readonly fileCheckIntervalMs: number;
}

/** Every limit, those of the configuration as it has them. Durations and sizes have been checked. */
export function readLimits(configured: RedisLimits): AmbassadorLimits {
  return Object.freeze({ ...constants, ...configuredLimits(configured) });
}

/** As they are at the moment each is looked at: for what outlives a reload. */
export function liveLimits(inForce: () => AmbassadorLimits): AmbassadorLimits {
  const live = {};
  for (const name of Object.keys(defaultLimits) as (keyof AmbassadorLimits)[]) {
    Object.defineProperty(live, name, { enumerable: true, get: () => inForce()[name] });
  }
  return live as AmbassadorLimits;
}

const constants: Omit<AmbassadorLimits, keyof ConfiguredLimits> = {
  ...defaultTopologyLimits,
  maxReplyBacklogBytes: 16 * 1024 * 1024,
  largeReplyBytes: 256 * 1024,
  largeQuietMs: 1_000,
  connectionWaitMs: 1_000,
  leaseIdleMs: 60_000,
  removedServerMs: 25_000,
  refusalMs: 1_000,
  maxRefusals: 256,
  maxStrangers: 8,
  failFastMs: 100,
  roundSpacingMs: 10,
  handoverAfterMs: 50,
  handoverWaitMs: 25,
  handoverIntervalMs: 100,
  replicaWaitMs: 1_000,
  lingerMs: 1_000,
  drainQuietMs: 250,
  questionTimeoutMs: 2_000,
  forgetAfterMs: 30_000,
  fileCheckIntervalMs: 1_000,
};

export const defaultLimits: AmbassadorLimits = readLimits(defaultsOf(redisLimits) as RedisLimits);

function configuredLimits(limits: RedisLimits): ConfiguredLimits {
  const { maxClients, maxPipelined, maxArguments, maxDepth, maxWaiting } = limits;
  const { maxLinesPerServer, maxLeasesPerServer, maxIdleLeases } = limits;
  const size = (name: keyof RedisLimits): number => sizeBytes(String(limits[name]), `limits.${name}`);
  const ms = (name: keyof RedisLimits): number => durationMs(String(limits[name]), `limits.${name}`);
  return {
    maxClients,
    maxPipelined,
    maxArguments,
    maxBulkBytes: size('maxBulkBytes'),
    maxInlineBytes: size('maxInlineBytes'),
    maxDepth,
    maxHeldBytes: size('maxHeldBytes'),
    maxRepeatableBytes: size('maxRepeatableBytes'),
    maxClientOutputBytes: size('maxClientOutputBytes'),
    maxBufferedBytes: size('maxBufferedBytes'),
    maxWaiting,
    maxLinesPerServer,
    maxLeasesPerServer,
    maxIdleLeases,
    idleTimeoutMs: ms('idleTimeout'),
    handshakeTimeoutMs: ms('handshakeTimeout'),
    connectTimeoutMs: ms('connectTimeout'),
    pollIntervalMs: ms('pollInterval'),
    pollTimeoutMs: ms('pollTimeout'),
  };
}
