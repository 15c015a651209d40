/** Limits of the client side of the API. All times in ms, all sizes in bytes. */

export interface ClientLimits {
  /** From the first packet to a finished TLS handshake. */
  readonly connectTimeoutMs: number;
  /** From sending a request to the head of its answer. */
  readonly headTimeoutMs: number;
  /** For a whole answer that is not a watch. */
  readonly requestTimeoutMs: number;
  /** Largest answer that is not a watch; lists come in pages of 500. */
  readonly maxResponseBytes: number;
  /** Largest watch event; servers store at most 1.5–3 MiB an object. */
  readonly maxLineBytes: number;
  /** Idle time before TCP keepalive probes on control connections. */
  readonly keepAliveMs: number;
}

export const defaultClientLimits: ClientLimits = {
  connectTimeoutMs: 5_000,
  headTimeoutMs: 15_000,
  requestTimeoutMs: 30_000,
  maxResponseBytes: 128 * 1024 * 1024,
  maxLineBytes: 16 * 1024 * 1024,
  keepAliveMs: 15_000,
};
