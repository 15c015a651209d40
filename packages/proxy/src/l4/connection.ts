/**
 * One client connection: pick an endpoint, dial it, on failure the next one (never the same twice), then relay.
 *
 * An endpoint is judged by its answer, not by the handshake: a process that accepts and hangs up completes handshakes
 * forever. The first byte it sends is a success, its end without a byte while the client still waits is a failure. A client
 * that never asked anything waits for nothing: an endpoint that tires of it after a while is not judged.
 */

import { errorCode } from '@outrigger/core/errors';
import type { Timer } from '@outrigger/core/clock';
import { Relay, resetSocket } from '@outrigger/core/net';
import type { RelayEnd } from '@outrigger/core/net';
import type { Socket } from 'node:net';
import type { EndpointState } from '../balance/index.ts';
import type { FailureReason } from './metrics.ts';
import type { PublishedPort } from './port.ts';

/** TCP keepalive on both sides: a peer that vanished without a word is noticed after about 15 s + 9 probes. */
export const keepAliveMs = 15_000;

/** An endpoint that ends an unused connection sooner has hung up on it; later, it has tidied up. */
const patienceMs = 1000;

export class Connection {
  readonly client: Socket;
  readonly #port: PublishedPort;
  readonly #relay: Relay;
  #state: EndpointState | undefined;
  #upstream: Socket | undefined;
  #tried: Set<EndpointState> | undefined;
  #timer: Timer | undefined;
  #connectedAt = 0;
  #judged = false;
  #ending = false;
  #ended = false;

  constructor(client: Socket, port: PublishedPort) {
    this.client = client;
    this.#port = port;
    this.#relay = new Relay(client, port.share, {
      toUpstream: port.toUpstream,
      toClient: port.toClient,
      closed: (_relay, end) => this.#relayEnded(end),
    });
    client.on('error', () => this.#clientGone());
  }

  /** Picks and dials; also the way to the next endpoint after a failed dial. */
  dial(): void {
    const port = this.#port;
    const picked = port.balancer.pick(port.clock.now(), this.#clientIp(), this.#tried);
    if (typeof picked === 'string') {
      this.refuse(picked);
      return;
    }
    this.#state = picked;
    const { address, port: number } = picked.endpoint;
    const started = port.clock.now();
    const upstream = port.net.connect(
      { kind: 'tcp', host: address, port: number },
      { allowHalfOpen: true, noDelay: true, keepAliveMs, onread: this.#relay.onread },
    );
    this.#upstream = upstream;
    const onError = (error: Error): void => this.#dialFailed(picked, dialReason(error));
    upstream.once('error', onError);
    upstream.once('connect', () => {
      upstream.off('error', onError);
      this.#timer?.cancel();
      this.#connectedAt = port.clock.now();
      port.cells.dialed((this.#connectedAt - started) / 1000);
      this.#relay.start(upstream);
    });
    this.#timer = port.clock.setTimeout(() => {
      upstream.off('error', onError);
      upstream.on('error', ignoreLateError);
      upstream.destroy();
      this.#dialFailed(picked, 'dial-timeout');
    }, port.balancer.pool.settings.connectTimeoutMs);
  }

  /** Resets the client: an empty answer could be taken for an answer. */
  refuse(reason: FailureReason): void {
    this.#port.cells.failed(reason);
    resetSocket(this.client);
    this.#finish();
  }

  end(reason: 'idle' | 'drained' | 'closed'): void {
    if (this.#relay.upstream === undefined) {
      this.#abandonDial();
      resetSocket(this.client);
      this.#finish();
      return;
    }
    // Said goodbye at the last sweep and still here: the peer does not take what is queued.
    const stuck = this.#ending;
    this.#ending = true;
    if (!stuck && reason !== 'closed') this.#port.cells.failed(reason);
    this.#relay.end(reason, stuck || (reason === 'closed' && this.#queued));
  }

  /** Called about once a second: judges an endpoint that has answered, ends what has been idle too long. */
  sweep(tick: number, idleMs: number): void {
    if (this.#relay.upstream === undefined) return;
    if (!this.#judged && this.#relay.received > 0) this.#judge(true);
    if (idleMs > 0 && tick - this.#relay.lastActiveTick >= idleMs) this.end('idle');
  }

  idleFor(tick: number): number {
    return this.#relay.upstream === undefined ? 0 : tick - this.#relay.lastActiveTick;
  }

  /** Waiting until this has left would be no end, and ending without it no whole stream. */
  get #queued(): boolean {
    return this.client.writableLength + (this.#upstream?.writableLength ?? 0) > 0;
  }

  #dialFailed(picked: EndpointState, reason: FailureReason): void {
    if (this.#ended) return;
    this.#timer?.cancel();
    this.#upstream = undefined;
    this.#state = undefined;
    this.#port.cells.failed(reason);
    if (reason !== 'local-resources') this.#port.endpointFailed(picked, this.#clientIp(), reason);
    this.#port.balancer.release(picked);
    (this.#tried ??= new Set()).add(picked);
    this.dial();
  }

  #clientGone(): void {
    if (this.#relay.upstream !== undefined || this.#ended) return;
    this.#abandonDial();
    this.#finish();
  }

  #abandonDial(): void {
    this.#timer?.cancel();
    this.#upstream?.on('error', ignoreLateError);
    this.#upstream?.destroy();
  }

  #relayEnded(end: RelayEnd): void {
    if (!this.#judged && this.#relay.received > 0) this.#judge(true);
    else if (!this.#judged && (end === 'upstream-reset' || end === 'upstream-first') && this.#wasAsked) {
      this.#port.cells.failed('upstream-no-answer');
      this.#judge(false);
    }
    if (end === 'client-reset' || end === 'upstream-reset') this.#port.cells.failed(end);
    this.#finish();
  }

  get #wasAsked(): boolean {
    const { clock } = this.#port;
    return (this.#upstream?.bytesWritten ?? 0) > 0 || clock.now() - this.#connectedAt < patienceMs;
  }

  #judge(answered: boolean): void {
    const state = this.#state;
    if (state === undefined) return;
    this.#judged = true;
    if (answered) this.#port.balancer.dialSucceeded(state, this.#port.clock.now());
    else this.#port.endpointFailed(state, this.#clientIp(), 'upstream-no-answer');
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#state !== undefined) this.#port.balancer.release(this.#state);
    this.#port.ended(this);
  }

  /** Asking for it is a system call: only affinity needs to know. */
  #clientIp(): string {
    return this.#port.balancer.pool.affinitySeconds === 0 ? '' : (this.client.remoteAddress ?? '');
  }
}

/** A destroyed socket may still report what happened to it; it has been dealt with already. */
function ignoreLateError(): void {}

function dialReason(error: Error): FailureReason {
  switch (errorCode(error)) {
    case 'ECONNREFUSED':
      return 'dial-refused';
    case 'ETIMEDOUT':
      return 'dial-timeout';
    // Ours to run out of, not the endpoint's fault.
    case 'EMFILE':
    case 'ENFILE':
    case 'EADDRNOTAVAIL':
    case 'ENOBUFS':
    case 'ENOMEM':
      return 'local-resources';
    default:
      return 'dial-error';
  }
}
