/**
 * The limits a RedisAmbassador may move. The names are those of `outrigger_ambassador_limit`; durations appear there in
 * milliseconds with `Ms` after the name.
 */

import type { Infer } from '../build.ts';
import { integer, object, string } from '../build.ts';

const count = (description: string, fallback: number, minimum = 1) =>
  integer(description, { default: fallback, minimum, maximum: 2 ** 31 - 1 });
const size = (description: string, fallback: string) =>
  string(description, { format: 'size', default: fallback });
const duration = (description: string, fallback: string) =>
  string(description, { format: 'duration', default: fallback });

export const redisLimits = object(
  {
    maxClients: count(
      'Client connections at once, TLS handshakes included; further ones get an error',
      10_000,
    ),
    maxPipelined: count('Unanswered commands of one client; above it the client is not read from', 10_000),
    maxArguments: count('Arguments of one command; a client that sends more is cut off', 1_048_576),
    maxBulkBytes: size('Size of one argument; a client that announces more is cut off', '512MiB'),
    maxInlineBytes: size('Size of a command sent as a line of words', '64KiB'),
    maxDepth: count('Aggregates within aggregates in a reply; a server that sends more is cut off', 128),
    maxHeldBytes: size(
      'Size up to which a command waits to be whole before it is sent; larger ones pass as they arrive, on a ' +
        'connection of their own',
      '64KiB',
    ),
    maxRepeatableBytes: size('Unanswered commands of one client kept so that they can be sent again', '1MiB'),
    maxClientOutputBytes: size(
      'Replies waiting for one client that does not read them; above it the client is cut off',
      '64MiB',
    ),
    maxBufferedBytes: size(
      'Commands and replies waiting in all of the ambassador; above it the client that holds the most is closed',
      '512MiB',
    ),
    maxWaiting: count(
      'Commands that wait for a primary to be elected; further ones get an error at once',
      100_000,
    ),
    maxLinesPerServer: count('Connections to one server that clients share', 32),
    maxLeasesPerServer: count(
      'Connections to one server that belong to one client for a while: transactions, blocking commands, pub/sub',
      10_000,
    ),
    maxIdleLeases: count('Such connections kept open for the next client, for each server', 16, 0),
    idleTimeout: duration('How long a client may send nothing before it is cut off. 0s: for ever', '0s'),
    handshakeTimeout: duration('How long a client may take over its TLS handshake', '5s'),
    connectTimeout: duration('Connecting to a server, TLS and login included', '2s'),
    pollInterval: duration('Between two questions to every server when nobody needs to know sooner', '1s'),
    pollTimeout: duration('A server that does not answer such a question for so long takes no reads', '1s'),
  },
  {
    required: [
      'maxClients',
      'maxPipelined',
      'maxArguments',
      'maxBulkBytes',
      'maxInlineBytes',
      'maxDepth',
      'maxHeldBytes',
      'maxRepeatableBytes',
      'maxClientOutputBytes',
      'maxBufferedBytes',
      'maxWaiting',
      'maxLinesPerServer',
      'maxLeasesPerServer',
      'maxIdleLeases',
      'idleTimeout',
      'handshakeTimeout',
      'connectTimeout',
      'pollInterval',
      'pollTimeout',
    ],
    description: 'Bounds',
    default: {},
  },
);
export type RedisLimits = Infer<typeof redisLimits>;
