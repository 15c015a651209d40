/**
 * Presence: a Lease renewed while the daemon lives, read by Prometheus' service discovery and the dashboard.
 *
 * Nothing in the traffic depends on it, so every failure is only said and counted. On a Kubernetes cluster that is not
 * ours it is off unless asked for: an operator there did not expect us to write.
 */

import { ApiError } from '../api/status.ts';
import { jitter } from '../clock/index.ts';
import type { Clock, Random, Timer } from '../clock/index.ts';
import { errorCode } from '../errors/index.ts';
import type { Logger } from '../log/index.ts';
import type { Family, Metrics } from '../metrics/index.ts';
import { resourcePath } from '../watch/transport/path.ts';
import type { ApiClient } from '../watch/index.ts';
import { advertised } from './advertised.ts';
import { leaseName, leases, newLease, renewal } from './lease.ts';
import type { Identity, PresenceFacts } from './lease.ts';

export interface PresenceOptions {
  readonly client: ApiClient;
  readonly role: string;
  /** Unique among the daemons of this role: the host name, or host name and purpose. */
  readonly instance: string;
  /** Default: that of the credentials (a pod's own), else `default`. */
  readonly namespace?: string;
  /** Asked at every renewal. */
  readonly facts: () => PresenceFacts;
  /** `--presence`: also on API servers that are not Outrigger's. */
  readonly always?: boolean;
}

export interface PresenceDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface Presence {
  /** `unknown` until the server has said whose it is. */
  readonly state: 'unknown' | 'present' | 'off' | 'failing';
  /** Takes the Lease away, within a second or not at all. Never rejects. */
  stop(): Promise<void>;
}

const renewEveryMs = 10_000;
/** A renewal that takes longer is given up. */
const renewTimeoutMs = 5_000;
const removeTimeoutMs = 1_000;

/** Begins at once, in the background. */
export function startPresence(options: PresenceOptions, deps: PresenceDeps): Presence {
  const keeper = new LeaseKeeper(options, deps);
  keeper.start();
  return keeper;
}

class LeaseKeeper implements Presence {
  readonly #options: PresenceOptions;
  readonly #deps: PresenceDeps;
  readonly #identity: Identity;
  readonly #renewals: Family;
  readonly #errors: Family;
  readonly #stop = new AbortController();
  #state: Presence['state'] = 'unknown';
  #problem: string | undefined;
  /** A write was tried, so a Lease may be there whatever the answer was. */
  #tried = false;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: PresenceOptions, deps: PresenceDeps) {
    const { role, instance, namespace, client } = options;
    this.#options = options;
    this.#deps = deps;
    this.#identity = { role, instance, namespace: namespace ?? client.namespace ?? 'default' };
    this.#renewals = deps.metrics.counter({
      name: 'outrigger_presence_renewals_total',
      help: 'Renewals of the presence Lease.',
    });
    this.#errors = deps.metrics.counter({
      name: 'outrigger_presence_errors_total',
      help: 'Failed writes of the presence Lease, by error code.',
      labels: ['code'],
    });
  }

  get state(): Presence['state'] {
    return this.#state;
  }

  start(): void {
    this.#running = this.#turn();
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#stop.abort(new Error('presence was stopped'));
    await this.#running;
    if (!this.#tried) return;
    try {
      await this.#options.client.request({
        method: 'DELETE',
        path: this.#path(true),
        timeoutMs: removeTimeoutMs,
      });
    } catch (error) {
      this.#errors.add(1, errorCode(error));
      this.#deps.log.debug('presence Lease not removed, it runs out by itself', { error });
    }
  }

  async #turn(): Promise<void> {
    try {
      if (await this.#wanted()) await this.#renew();
      if (this.#state !== 'off') this.#well();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#failed(error);
    }
    if (this.#state === 'off' || this.#stop.signal.aborted) return;
    const delay = jitter(renewEveryMs * 0.9, 0.2, this.#deps.random);
    this.#timer = this.#deps.clock.setTimeout(() => this.start(), delay);
  }

  async #wanted(): Promise<boolean> {
    if (this.#options.always === true || this.#tried) return true;
    const version = await this.#request<{ gitVersion?: string }>({ path: '/version' });
    if (version.gitVersion?.includes('outrigger') === true) return true;
    this.#state = 'off';
    this.#deps.log.info(
      'no presence Lease is kept: the API server is not Outrigger’s (--presence keeps one there too)',
    );
    return false;
  }

  /** Most often the Lease is there: patch, and create it only when it is not. */
  async #renew(): Promise<void> {
    const facts = this.#facts();
    const wall = this.#deps.clock.wall();
    this.#tried = true;
    try {
      await this.#request({
        method: 'PATCH',
        path: this.#path(true),
        contentType: 'application/merge-patch+json',
        body: renewal(this.#identity, facts, wall),
      });
    } catch (error) {
      if (!(error instanceof ApiError) || error.httpStatus !== 404) throw error;
      await this.#request({
        method: 'POST',
        path: this.#path(false),
        body: newLease(this.#identity, facts, wall),
      });
    }
    this.#renewals.add(1);
  }

  #facts(): PresenceFacts {
    const facts = this.#options.facts();
    const { admin, scrape } = facts;
    return { ...facts, admin: admin && advertised(admin), scrape: scrape && advertised(scrape) };
  }

  #request<T>(request: Parameters<ApiClient['request']>[0]): Promise<T> {
    return this.#options.client.request<T>({
      ...request,
      timeoutMs: renewTimeoutMs,
      signal: this.#stop.signal,
    });
  }

  #path(named: boolean): string {
    const { role, instance, namespace } = this.#identity;
    return resourcePath(leases, named ? { namespace, name: leaseName(role, instance) } : { namespace });
  }

  #well(): void {
    if (this.#problem !== undefined) this.#deps.log.info('presence Lease renewed again');
    this.#problem = undefined;
    this.#state = 'present';
  }

  /** One log line per change of what is wrong; every time counted. */
  #failed(error: unknown): void {
    const code = errorCode(error);
    this.#errors.add(1, code);
    this.#state = 'failing';
    if (code !== this.#problem)
      this.#deps.log.warn('presence Lease not renewed; traffic does not need it', { error });
    this.#problem = code;
  }
}
