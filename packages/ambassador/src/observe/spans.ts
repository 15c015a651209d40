/**
 * Spans of Redis commands, by OpenTelemetry's semantic conventions for database clients and for Redis
 * (opentelemetry.io/docs/specs/semconv/db/redis). One span per traced command or batch, from sending to the answer.
 *
 * Keys and values are never part of one, so `db.query.text` is not set.
 */

import type { Tracer } from '@outrigger/core/tracing';
import type { Server } from '../upstream/server.ts';
import { namesOf, Place } from './names.ts';

export interface AnsweredCommands {
  /** Names in order, as COMMAND has them: of one command, or of a pipeline that left together (its first ones suffice). */
  readonly commands: readonly string[];
  /** How many there are. */
  readonly count: number;
  readonly server: Server;
  /** Where the connection goes to: an IP address, or a socket's path with port 0. */
  readonly peer: { readonly address: string; readonly port: number } | undefined;
  readonly place: Place;
  readonly database: number;
  /** Of `Clock.now`. */
  readonly startMs: number;
  readonly endMs: number;
  /** First word of the first error answered, such as `WRONGTYPE`; of our own errors `OUTRIGGER`. */
  readonly error: string | undefined;
}

type Attributes = Record<string, string | number | boolean>;

const places = namesOf(Place);

export function traceCommands(tracer: Tracer, answered: AnsweredCommands): void {
  const operation = operationOf(answered.commands);
  tracer.span({
    // db.namespace, a number, is left out of names by the convention for Redis; hosts are too many for a name.
    name: operation,
    kind: 'client',
    startMs: answered.startMs,
    endMs: answered.endMs,
    error: answered.error,
    attributes: {
      'db.system.name': 'redis',
      'db.operation.name': operation,
      'db.namespace': String(answered.database),
      ...batch(answered.count),
      ...address(answered.server),
      ...peer(answered.peer),
      ...failure(answered.error),
      'outrigger.redis.route': places[answered.place] ?? '',
    },
  });
}

/** `GET`; `PIPELINE GET` for several of the same; `PIPELINE` for several that differ. */
function operationOf(commands: readonly string[]): string {
  const [first = ''] = commands;
  const name = first.replaceAll('|', ' ').replace(/ \(.*\)$/, '');
  if (commands.length === 1) return name;
  return commands.every((one) => one === first) ? `PIPELINE ${name}` : 'PIPELINE';
}

/** By the convention a batch of one is none. */
function batch(size: number): Attributes {
  return size < 2 ? {} : { 'db.operation.batch.size': size };
}

function address({ address: at }: Server): Attributes {
  return at.kind === 'unix'
    ? { 'server.address': at.path }
    : { 'server.address': at.host, 'server.port': at.port };
}

function peer(at: AnsweredCommands['peer']): Attributes {
  if (at === undefined) return {};
  return at.port === 0
    ? { 'network.transport': 'unix', 'network.peer.address': at.address }
    : { 'network.transport': 'tcp', 'network.peer.address': at.address, 'network.peer.port': at.port };
}

function failure(error: string | undefined): Attributes {
  return error === undefined ? {} : { 'db.response.status_code': error, 'error.type': error };
}
