/** Kept connections: one pool an origin, made anew when certificates change on disk. */

import type { Readable } from 'node:stream';
import { errorCode } from '@outrigger/core/errors';
import { Pool } from 'undici';
import type { TlsOptions } from './options.ts';
import type { TlsMaterial } from './secrets.ts';

export interface PoolRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
  readonly signal: AbortSignal;
}

export interface PoolResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

interface Kept {
  readonly pool: Pool;
  readonly material: TlsMaterial;
}

/** A source has one origin, /probe any that is allowed: those not asked for the longest time are closed. */
const maxOrigins = 32;
const connectionsPerOrigin = 4;
/** Longer than most scrape intervals, so that a scrape finds its connection again. */
const keepAliveMs = 65_000;

export class Pools {
  readonly #tls: TlsOptions;
  readonly #kept = new Map<string, Kept>();

  constructor(tls: TlsOptions) {
    this.#tls = tls;
  }

  async ask(
    origin: string,
    material: TlsMaterial,
    request: PoolRequest,
    repeatable: boolean,
  ): Promise<PoolResponse> {
    const pool = this.#pool(origin, material);
    try {
      return await pool.request(request);
    } catch (error) {
      // A server may close a kept connection just when we ask; a fresh one tells whether it is there.
      const closed = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(errorCode(error));
      if (!closed || !repeatable || request.signal.aborted) throw error;
      return await pool.request(request);
    }
  }

  async close(): Promise<void> {
    const pools = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(pools.map(({ pool }) => pool.destroy()));
  }

  retire(): void {
    for (const { pool } of this.#kept.values()) retire(pool);
    this.#kept.clear();
  }

  #pool(origin: string, material: TlsMaterial): Pool {
    const kept = this.#kept.get(origin);
    // Taken out and put in again: a Map keeps the order, the first is the one not used for the longest time.
    this.#kept.delete(origin);
    if (kept !== undefined && sameMaterial(kept.material, material)) {
      this.#kept.set(origin, kept);
      return kept.pool;
    }
    if (kept !== undefined) retire(kept.pool);
    const pool = this.#open(origin, material);
    this.#kept.set(origin, { pool, material });
    const [oldest] = this.#kept;
    if (this.#kept.size > maxOrigins && oldest !== undefined) {
      this.#kept.delete(oldest[0]);
      retire(oldest[1].pool);
    }
    return pool;
  }

  #open(origin: string, { ca, cert, key }: TlsMaterial): Pool {
    const { serverName, insecureSkipVerify, minVersion } = this.#tls;
    return new Pool(origin, {
      connections: connectionsPerOrigin,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      // The deadline of the scrape ends what takes too long.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        rejectUnauthorized: !insecureSkipVerify,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(serverName === undefined ? {} : { servername: serverName }),
        ...(minVersion === undefined ? {} : { minVersion }),
      },
    });
  }
}

function retire(pool: Pool): void {
  // What is under way still ends; a pool that fails to close has nothing left to lose.
  pool.close().catch(() => undefined);
}

function sameMaterial(one: TlsMaterial, other: TlsMaterial): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key;
}
