/**
 * What the engine counts while commands pass: additions to cells whose places are found by small integers (names.ts), so
 * nothing is allocated and no string is made. What is read from the engine's state instead is in gauges.ts.
 *
 * Label sets appear on the page when they are first used, those of short fixed lists at once (rates need a zero to
 * start from).
 */

import type { Family, Histogram, Metrics } from '@outrigger/core/metrics';
import type { Command } from '../commands/command.ts';
import type { PinReason } from '../session/state.ts';
import { CellGrid } from './grid.ts';
import {
  Bytes,
  Class,
  classOf,
  Denied,
  Ended,
  Fallback,
  Held,
  namesOf,
  Phase,
  Place,
  ReadPath,
  Rejection,
} from './names.ts';
import { ServerIndex } from './servers.ts';

export interface EngineCountersOptions {
  readonly metrics: Metrics;
  /** A command by its index, for its name; asked once per command and place. */
  readonly command: (index: number) => Pick<Command, 'name' | 'route'> | undefined;
  readonly maxServerSeries?: number;
}

/** Commands are known by the hundred; more names than this come from a server gone mad. */
const maxCommandSeries = 2_000;

const places = namesOf(Place);
const classes = namesOf(Class);
const rejections = namesOf(Rejection);
const phases = namesOf(Phase);

export class EngineCounters {
  readonly servers: ServerIndex;
  readonly #values: Float64Array;
  readonly #sent: CellGrid;
  readonly #seconds: Histogram;
  readonly #series: CellGrid;
  readonly #errorReplies: CellGrid;
  readonly #rejections: CellGrid;
  readonly #failures: CellGrid;
  readonly #ofServer: readonly ServerFamily[];
  readonly #readPaths: readonly number[];
  readonly #fallbacks: readonly number[];
  readonly #held: readonly number[];
  readonly #ended: readonly number[];
  readonly #denied: readonly number[];
  readonly #bytes: readonly number[];
  readonly #pins: Readonly<Record<PinReason, number>>;
  readonly #pinned: Readonly<Record<PinReason, number>>;
  readonly #repeated: number;
  readonly #redirected: number;
  readonly #unknown: number;
  readonly #opened: number;
  readonly #rejectedClients: number;
  readonly #authFailed: number;
  readonly #slow: number;
  readonly #refused: Family;
  readonly #failover: Histogram;
  readonly #failoverAt: number;

  constructor({ metrics, command, maxServerSeries }: EngineCountersOptions) {
    this.#values = metrics.cells.values;
    this.servers = new ServerIndex(maxServerSeries);
    const server = (index: number): string => this.servers.name(index);

    const sent = metrics.counter({
      name: 'outrigger_ambassador_commands_total',
      help: 'Commands by name and class, and where they went: the primary, a replica, a connection of the session’s own, or nowhere because the ambassador answers them (local). What follows a splice is not looked at.',
      labels: ['command', 'class', 'route'],
      maxSeries: maxCommandSeries,
    });
    this.#sent = new CellGrid(places.length, (index, place) => {
      const known = command(index);
      const kind = classes[classOf(known?.route ?? 'write')] ?? '';
      return sent.at(label(known?.name ?? '(unknown)'), kind, places[place] ?? '');
    });

    this.#seconds = metrics.histogram({
      name: 'outrigger_ambassador_reply_seconds',
      help: 'From sending a command to its answer, by class and server.',
      labels: ['class', 'server'],
      smallest: 0.000_02,
      largest: 60,
    });
    this.#series = new CellGrid(classes.length, (index, kind) =>
      this.#seconds.at(classes[kind] ?? '', server(index)),
    );

    const errorReplies = metrics.counter({
      name: 'outrigger_ambassador_error_replies_total',
      help: 'Errors that servers answered and clients were given.',
      labels: ['server'],
    });
    this.#errorReplies = new CellGrid(1, (index) => errorReplies.at(server(index)));
    const rejected = metrics.counter({
      name: 'outrigger_ambassador_rejections_total',
      help: 'Commands that a server refused before executing them, by the first word of its answer. Repeated or redirected where that is safe.',
      labels: ['kind', 'server'],
    });
    this.#rejections = new CellGrid(rejections.length, (index, kind) =>
      rejected.at(rejections[kind] ?? '', server(index)),
    );
    const failures = metrics.counter({
      name: 'outrigger_ambassador_upstream_errors_total',
      help: 'Connections to servers that failed, by what they were doing: dial, tls, login, open, silent (no answer in time), breached (broke the protocol).',
      labels: ['server', 'phase'],
    });
    this.#failures = new CellGrid(phases.length, (index, phase) =>
      failures.at(server(index), phases[phase] ?? ''),
    );
    this.#ofServer = [
      {
        family: this.#seconds.family,
        grid: this.#series,
        sets: (name) => classes.map((kind) => [kind, name]),
      },
      { family: errorReplies, grid: this.#errorReplies, sets: (name) => [[name]] },
      { family: rejected, grid: this.#rejections, sets: (name) => rejections.map((kind) => [kind, name]) },
      { family: failures, grid: this.#failures, sets: (name) => phases.map((phase) => [name, phase]) },
    ];

    const listed = (name: string, help: string, label: string, values: readonly string[]): number[] => {
      const family = metrics.counter({ name: `outrigger_ambassador_${name}`, help, labels: [label] });
      return values.map((value) => family.at(value));
    };
    this.#readPaths = listed(
      'replica_reads_total',
      'Reads sent to a replica, by what allowed it: eventual consistency, the first read of a session, home (the replica gave the last answer), proven (it has what the session has seen).',
      'path',
      namesOf(ReadPath),
    );
    this.#fallbacks = listed(
      'fallbacks_total',
      'Reads sent to the primary although replicas may be read, and why.',
      'reason',
      namesOf(Fallback),
    );
    this.#held = listed(
      'held_total',
      'Commands that had to wait before they were sent, and for what.',
      'reason',
      namesOf(Held),
    );
    this.#ended = listed(
      'sessions_ended_total',
      'Client connections that ended, and why; slow: it did not read its replies.',
      'reason',
      namesOf(Ended),
    );
    this.#denied = listed(
      'denied_total',
      'Commands refused by a rule of the ambassador.',
      'rule',
      namesOf(Denied),
    );
    const bytes = metrics.counter({
      name: 'outrigger_ambassador_bytes_total',
      help: 'Bytes received from (in) and sent to (out) clients and servers, TLS not counted.',
      labels: ['peer', 'direction'],
    });
    this.#bytes = namesOf(Bytes).map((way) => bytes.at(...(byteLabels[way] ?? [])));

    const pins = metrics.counter({
      name: 'outrigger_ambassador_pins_total',
      help: 'Times a session needed a connection of its own, and why.',
      labels: ['reason'],
    });
    const pinned = metrics.gauge({
      name: 'outrigger_ambassador_pinned_sessions',
      help: 'Sessions with a connection of their own now, by reason; a session may have several.',
      labels: ['reason'],
    });
    this.#pins = perReason((reason) => pins.at(reason));
    this.#pinned = perReason((reason) => pinned.at(reason));

    const single = (name: string, help: string): number =>
      metrics.counter({ name: `outrigger_ambassador_${name}`, help }).at();
    this.#repeated = single(
      'repeated_commands_total',
      'Commands sent again: reads whose server failed, and what a server refused before executing it.',
    );
    this.#redirected = single(
      'redirections_total',
      'Commands that followed -MOVED or -ASK to another server of a cluster.',
    );
    this.#unknown = single(
      'unknown_outcomes_total',
      'Writes whose server was lost before it answered: told to the client, never sent again.',
    );
    this.#opened = single('sessions_total', 'Client connections accepted.');
    this.#rejectedClients = single(
      'sessions_rejected_total',
      'Client connections refused because maxSessions were open.',
    );
    this.#authFailed = single('auth_failures_total', 'Logins of clients that failed.');
    this.#slow = single(
      'slow_commands_total',
      'Commands that took longer than the threshold of the slow log.',
    );
    this.#refused = metrics.counter({
      name: 'outrigger_ambassador_refused_total',
      help: 'Commands answered with an error of the ambassador because no server could take them.',
      labels: ['reason'],
      maxSeries: 100,
    });
    this.#failover = metrics.histogram({
      name: 'outrigger_ambassador_failover_wait_seconds',
      help: 'How long commands were held while a primary was elected, those that waited in vain included.',
      smallest: 0.001,
      largest: 120,
    });
    this.#failoverAt = this.#failover.at();
  }

  /** Hot: a command left, or was answered here. */
  sent(commandIndex: number, place: Place): void {
    this.#add(this.#sent.at(commandIndex, place), 1);
  }

  /** Hot: `count` answers of one class came after `seconds`. */
  answered(classIndex: Class, serverIndex: number, seconds: number, count: number): void {
    this.#seconds.recordMany(this.#series.at(serverIndex, classIndex), seconds, count);
  }

  /** Hot. */
  bytes(which: Bytes, count: number): void {
    this.#add(this.#bytes[which] as number, count);
  }

  /** Hot: a read goes to a replica. */
  replicaRead(path: ReadPath): void {
    this.#add(this.#readPaths[path] as number, 1);
  }

  /** Hot: a read goes to the primary. */
  fallback(reason: Fallback): void {
    this.#add(this.#fallbacks[reason] as number, 1);
  }

  held(reason: Held): void {
    this.#add(this.#held[reason] as number, 1);
  }

  errorReply(serverIndex: number): void {
    this.#add(this.#errorReplies.at(serverIndex, 0), 1);
  }

  rejected(kind: Rejection, serverIndex: number): void {
    this.#add(this.#rejections.at(serverIndex, kind), 1);
  }

  upstreamError(serverIndex: number, phase: Phase): void {
    this.#add(this.#failures.at(serverIndex, phase), 1);
  }

  repeated(count: number): void {
    this.#add(this.#repeated, count);
  }

  redirected(count: number): void {
    this.#add(this.#redirected, count);
  }

  /** `count` writes left, and nobody knows what became of them. */
  outcomeUnknown(count: number): void {
    this.#add(this.#unknown, count);
  }

  /** An error of the ambassador's own was answered; `reason` is one of few fixed words. */
  refused(reason: string): void {
    this.#refused.add(1, reason);
  }

  pin(reason: PinReason): void {
    this.#add(this.#pins[reason], 1);
    this.#add(this.#pinned[reason], 1);
  }

  unpin(reason: PinReason): void {
    this.#add(this.#pinned[reason], -1);
  }

  sessionOpened(): void {
    this.#add(this.#opened, 1);
  }

  sessionEnded(reason: Ended): void {
    this.#add(this.#ended[reason] as number, 1);
  }

  clientRejected(): void {
    this.#add(this.#rejectedClients, 1);
  }

  authFailed(): void {
    this.#add(this.#authFailed, 1);
  }

  denied(rule: Denied): void {
    this.#add(this.#denied[rule] as number, 1);
  }

  slowCommand(): void {
    this.#add(this.#slow, 1);
  }

  /** `count` commands were held for a primary, and either left or gave up. */
  failoverWaited(seconds: number, count: number): void {
    this.#failover.recordMany(this.#failoverAt, seconds, count);
  }

  /** The server is gone for good: its series leave the page. Nobody may count for its index any more. */
  forgetServer(name: string): void {
    const index = this.servers.forget(name);
    if (index === undefined) return;
    for (const { family, grid, sets } of this.#ofServer) {
      grid.forget(index);
      for (const values of sets(name)) family.remove(...values);
    }
  }

  #add(cell: number, amount: number): void {
    this.#values[cell] = (this.#values[cell] as number) + amount;
  }
}

/** Without what tells the milder form of a command apart (`SORT (no STORE)`): its class does. */
function label(command: string): string {
  return command.replace(/ \(.*\)$/, '').toLowerCase();
}

const byteLabels: Readonly<Record<string, readonly [peer: string, direction: string]>> = {
  fromClient: ['client', 'in'],
  toClient: ['client', 'out'],
  fromServer: ['server', 'in'],
  toServer: ['server', 'out'],
};

/** A family labelled by server, so that a server that is gone can be taken off. */
interface ServerFamily {
  readonly family: Family;
  readonly grid: CellGrid;
  readonly sets: (server: string) => readonly (readonly string[])[];
}

function perReason(cell: (reason: PinReason) => number): Record<PinReason, number> {
  return {
    multi: cell('multi'),
    watch: cell('watch'),
    blocking: cell('blocking'),
    wait: cell('wait'),
    subscribe: cell('subscribe'),
    monitor: cell('monitor'),
    tracking: cell('tracking'),
    sticky: cell('sticky'),
    large: cell('large'),
    splice: cell('splice'),
  };
}
