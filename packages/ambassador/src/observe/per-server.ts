/** What is counted for each server: time to an answer, errors, rejections, failures of connections. */

import type { Family, Histogram, Metrics } from '@outrigger/core/metrics';
import { CellGrid } from './grid.ts';
import { Class, namesOf, Phase, Rejection } from './names.ts';
import { ServerIndex } from './servers.ts';

const classes = namesOf(Class);
const rejections = namesOf(Rejection);
const phases = namesOf(Phase);

/** A family labelled by server, so that a server that is gone can be taken off the page. */
interface ServerFamily {
  readonly family: Family;
  readonly grid: CellGrid;
  readonly setsOf: (server: string) => readonly (readonly string[])[];
}

export class PerServer {
  readonly index: ServerIndex;
  readonly seconds: Histogram;
  readonly series: CellGrid;
  readonly errorReplies: CellGrid;
  readonly rejections: CellGrid;
  readonly failures: CellGrid;
  readonly #families: ServerFamily[] = [];

  constructor(metrics: Metrics, maxServerSeries: number | undefined) {
    this.index = new ServerIndex(maxServerSeries);
    this.seconds = metrics.histogram({
      name: 'outrigger_ambassador_reply_seconds',
      help: 'From sending a command to its answer, by class and server.',
      labels: ['class', 'server'],
      smallest: 0.000_02,
      largest: 60,
    });
    this.series = this.#grid(this.seconds.family, classes, (server, kind) => [kind, server]);
    const counter = (name: string, help: string, labels: readonly string[]): Family =>
      metrics.counter({ name: `outrigger_ambassador_${name}`, help, labels });
    this.errorReplies = this.#grid(
      counter('error_replies_total', 'Errors that servers answered and clients were given.', ['server']),
      [''],
      (server) => [server],
    );
    this.rejections = this.#grid(
      counter(
        'rejections_total',
        'Commands that a server refused before executing them, by the first word of its answer. Repeated or redirected where that is safe.',
        ['kind', 'server'],
      ),
      rejections,
      (server, kind) => [kind, server],
    );
    this.failures = this.#grid(
      counter(
        'upstream_errors_total',
        'Connections to servers that failed, by what they were doing: dial, tls, login, open, silent (no answer in time), breached (broke the protocol).',
        ['server', 'phase'],
      ),
      phases,
      (server, phase) => [server, phase],
    );
  }

  /** The server is gone for good. Nobody may count for its index any more. */
  forget(name: string): void {
    const index = this.index.forget(name);
    if (index === undefined) return;
    for (const { family, grid, setsOf } of this.#families) {
      grid.forget(index);
      for (const values of setsOf(name)) family.remove(...values);
    }
  }

  #grid(
    family: Family,
    columns: readonly string[],
    labels: (server: string, column: string) => readonly string[],
  ): CellGrid {
    const grid = new CellGrid(columns.length, (index, column) =>
      family.at(...labels(this.index.name(index), columns[column] ?? '')),
    );
    const setsOf = (server: string) => columns.map((column) => labels(server, column));
    this.#families.push({ family, grid, setsOf });
    return grid;
  }
}
