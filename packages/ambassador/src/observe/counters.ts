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
import { Bytes, Class, classOf, Denied, Ended, Fallback, Held, namesOf, Place, ReadPath } from './names.ts';
import type { Phase, Rejection } from './names.ts';
import { PerServer } from './per-server.ts';
import type { ServerIndex } from './servers.ts';

export interface EngineCountersOptions {
  readonly metrics: Metrics;
  /** A command by its index, for its name; asked once per command and place. */
  readonly command: (index: number) => Pick<Command, 'name' | 'route'> | undefined;
  readonly maxServerSeries?: number;
}

export class EngineCounters {
  readonly servers: ServerIndex;
  readonly #values: Float64Array;
  readonly #perServer: PerServer;
  readonly #sent: CellGrid;
  readonly #listed: Listed;
  readonly #single: Single;
  readonly #bytes: readonly number[];
  readonly #pins: Readonly<Record<PinReason, number>>;
  readonly #pinned: Readonly<Record<PinReason, number>>;
  readonly #refused: Family;
  readonly #failover: Histogram;
  readonly #failoverAt: number;

  constructor({ metrics, command, maxServerSeries }: EngineCountersOptions) {
    this.#values = metrics.cells.values;
    this.#perServer = new PerServer(metrics, maxServerSeries);
    this.servers = this.#perServer.index;
    this.#sent = commandCells(metrics, command);
    this.#listed = listed(metrics);
    this.#single = single(metrics);
    this.#bytes = byteCells(metrics);
    const pins = family(
      metrics,
      'counter',
      'pins_total',
      'Times a session needed a connection of its own, and why.',
    );
    const pinned = family(
      metrics,
      'gauge',
      'pinned_sessions',
      'Sessions with a connection of their own now, by reason; a session may have several.',
    );
    this.#pins = perPin((reason) => pins.at(reason));
    this.#pinned = perPin((reason) => pinned.at(reason));
    this.#refused = family(
      metrics,
      'counter',
      'refused_total',
      'Commands answered with an error of the ambassador because no server could take them.',
    );
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
    const { seconds: histogram, series } = this.#perServer;
    histogram.recordMany(series.at(serverIndex, classIndex), seconds, count);
  }

  /** Hot. */
  bytes(which: Bytes, count: number): void {
    this.#add(this.#bytes[which] as number, count);
  }

  /** Hot: a read goes to a replica. */
  replicaRead(path: ReadPath): void {
    this.#add(this.#listed.readPaths[path] as number, 1);
  }

  /** Hot: a read goes to the primary. */
  fallback(reason: Fallback): void {
    this.#add(this.#listed.fallbacks[reason] as number, 1);
  }

  held(reason: Held): void {
    this.#add(this.#listed.held[reason] as number, 1);
  }

  errorReply(serverIndex: number): void {
    this.#add(this.#perServer.errorReplies.at(serverIndex, 0), 1);
  }

  rejected(kind: Rejection, serverIndex: number): void {
    this.#add(this.#perServer.rejections.at(serverIndex, kind), 1);
  }

  upstreamError(serverIndex: number, phase: Phase): void {
    this.#add(this.#perServer.failures.at(serverIndex, phase), 1);
  }

  repeated(count: number): void {
    this.#add(this.#single.repeated, count);
  }

  redirected(count: number): void {
    this.#add(this.#single.redirected, count);
  }

  /** `count` writes left, and nobody knows what became of them. */
  outcomeUnknown(count: number): void {
    this.#add(this.#single.unknown, count);
  }

  /** A write was executed, and fewer replicas than asked for had it in time. */
  unacknowledged(): void {
    this.#add(this.#single.unacknowledged, 1);
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
    this.#add(this.#single.opened, 1);
  }

  sessionEnded(reason: Ended): void {
    this.#add(this.#listed.ended[reason] as number, 1);
  }

  clientRejected(): void {
    this.#add(this.#single.rejectedClients, 1);
  }

  authFailed(): void {
    this.#add(this.#single.authFailed, 1);
  }

  denied(rule: Denied): void {
    this.#add(this.#listed.denied[rule] as number, 1);
  }

  slowCommand(): void {
    this.#add(this.#single.slow, 1);
  }

  /** `count` commands were held for a primary, and either left or gave up. */
  failoverWaited(seconds: number, count: number): void {
    this.#failover.recordMany(this.#failoverAt, seconds, count);
  }

  /** The server is gone for good: its series leave the page. Nobody may count for its index any more. */
  forgetServer(name: string): void {
    this.#perServer.forget(name);
  }

  #add(cell: number, amount: number): void {
    this.#values[cell] = (this.#values[cell] as number) + amount;
  }
}

/** Commands are known by the hundred; more names than this come from a server gone mad. */
const maxCommandSeries = 2_000;
const places = namesOf(Place);
const classes = namesOf(Class);

function commandCells(metrics: Metrics, command: EngineCountersOptions['command']): CellGrid {
  const sent = metrics.counter({
    name: 'outrigger_ambassador_commands_total',
    help: 'Commands by name and class, and where they went: the primary, a replica, a connection of the session’s own, or nowhere because the ambassador answers them (local). What follows a splice is not looked at.',
    labels: ['command', 'class', 'route'],
    maxSeries: maxCommandSeries,
  });
  return new CellGrid(places.length, (index, place) => {
    const known = command(index);
    const kind = classes[classOf(known?.route ?? 'write')] ?? '';
    return sent.at(label(known?.name ?? '(unknown)'), kind, places[place] ?? '');
  });
}

/** Without what tells the milder form of a command apart (`SORT (no STORE)`): its class does. */
function label(command: string): string {
  return command.replace(/ \(.*\)$/, '').toLowerCase();
}

/** Counters with one label of few values: cells in the order of the constants in names.ts. */
type Listed = ReturnType<typeof listed>;

function listed(metrics: Metrics) {
  const cells = (
    name: string,
    help: string,
    labels: string,
    constants: Readonly<Record<string, number>>,
  ): readonly number[] => {
    const counter = metrics.counter({ name: `outrigger_ambassador_${name}`, help, labels: [labels] });
    return namesOf(constants).map((value) => counter.at(value));
  };
  return {
    readPaths: cells(
      'replica_reads_total',
      'Reads sent to a replica, by what allowed it: eventual consistency, the first read of a session, home (the replica gave the last answer), proven (it has what the session has seen).',
      'path',
      ReadPath,
    ),
    fallbacks: cells(
      'fallbacks_total',
      'Reads sent to the primary although replicas may be read, and why.',
      'reason',
      Fallback,
    ),
    held: cells(
      'held_total',
      'Commands that had to wait before they were sent, and for what.',
      'reason',
      Held,
    ),
    ended: cells(
      'sessions_ended_total',
      'Client connections that ended, and why; slow: it did not read its replies.',
      'reason',
      Ended,
    ),
    denied: cells('denied_total', 'Commands refused by a rule of the ambassador.', 'rule', Denied),
  };
}

/** Counters without labels. */
type Single = ReturnType<typeof single>;

function single(metrics: Metrics) {
  const cell = (name: string, help: string): number =>
    metrics.counter({ name: `outrigger_ambassador_${name}`, help }).at();
  return {
    repeated: cell(
      'repeated_commands_total',
      'Commands sent again: reads whose server failed, and what a server refused before executing it.',
    ),
    redirected: cell(
      'redirections_total',
      'Commands that followed -MOVED or -ASK to another server of a cluster.',
    ),
    unknown: cell(
      'unknown_outcomes_total',
      'Writes whose server was lost before it answered: told to the client, never sent again.',
    ),
    unacknowledged: cell(
      'unacknowledged_writes_total',
      'Writes that were executed, and that fewer replicas than writeAcks had in time.',
    ),
    opened: cell('sessions_total', 'Client connections accepted.'),
    rejectedClients: cell(
      'sessions_rejected_total',
      'Client connections refused because maxClients were open.',
    ),
    authFailed: cell('auth_failures_total', 'Logins of clients that failed.'),
    slow: cell('slow_commands_total', 'Commands that took longer than the threshold of the slow log.'),
  };
}

function family(metrics: Metrics, type: 'counter' | 'gauge', name: string, help: string): Family {
  return metrics[type]({ name: `outrigger_ambassador_${name}`, help, labels: ['reason'], maxSeries: 100 });
}

function byteCells(metrics: Metrics): readonly number[] {
  const bytes = metrics.counter({
    name: 'outrigger_ambassador_bytes_total',
    help: 'Bytes received from (in) and sent to (out) clients and servers, TLS not counted.',
    labels: ['peer', 'direction'],
  });
  const labels: Readonly<Record<keyof typeof Bytes, readonly [peer: string, direction: string]>> = {
    fromClient: ['client', 'in'],
    toClient: ['client', 'out'],
    fromServer: ['server', 'in'],
    toServer: ['server', 'out'],
  };
  return namesOf(Bytes).map((way) => bytes.at(...labels[way as keyof typeof Bytes]));
}

function perPin(cell: (reason: PinReason) => number): Record<PinReason, number> {
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
