/** One address and port behind a Service port, as all of plan, balance and the data paths speak of it. */

export interface Endpoint {
  /** `10.0.0.1:80` or `[fd00::1]:80`: the identity, within one Service port. */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** On this node. */
  readonly local: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly node: string;
  readonly zone: string;
  readonly nodeHints: readonly string[];
  readonly zoneHints: readonly string[];
  /** `Pod/web-1`, `''` unknown: for people. */
  readonly target: string;
}
