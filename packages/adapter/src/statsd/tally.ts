/** What the intake counts. Plain numbers: they are added to per line and read per scrape. */

export const sampleKinds = ['counter', 'gauge', 'observation', 'set'] as const;
export type SampleKind = (typeof sampleKinds)[number];

export const mappingResults = ['mapped', 'dropped', 'unmapped'] as const;
export type MappingResult = (typeof mappingResults)[number];

/** Why a line, a sample, or a part of one was not taken. */
export const reasons = [
  ...(['malformed', 'not-utf8', 'line-too-long', 'name-too-long', 'bad-frame'] as const),
  ...(['bad-value', 'bad-rate', 'bad-type', 'bad-tag', 'mixed-tags', 'negative-counter'] as const),
  ...(['empty-name', 'type-conflict', 'name-conflict', 'series-limit', 'source-limit', 'set-limit'] as const),
];
export type Reason = (typeof reasons)[number];

export const transports = ['udp', 'tcp', 'unix'] as const;
export type Transport = (typeof transports)[number];

export class Tally {
  packets = 0;
  lines = 0;
  events = 0;
  serviceChecks = 0;
  cacheMisses = 0;
  /** By transport. */
  readonly bytes = new Float64Array(transports.length);
  readonly connections = new Float64Array(transports.length);
  readonly connectionsOpen = new Float64Array(transports.length);
  readonly connectionsRefused = new Float64Array(transports.length);
  /** By position in `sampleKinds`. */
  readonly samples = new Float64Array(sampleKinds.length);
  /** By position in `mappingResults`. */
  readonly mapping = new Float64Array(mappingResults.length);
  readonly #errors = new Map<Reason, number>();

  failed(reason: Reason, count = 1): void {
    this.#errors.set(reason, (this.#errors.get(reason) ?? 0) + count);
  }

  get errors(): ReadonlyMap<Reason, number> {
    return this.#errors;
  }
}
