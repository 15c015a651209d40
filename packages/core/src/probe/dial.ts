/** Dialling: the tcpSocket probe, and how kubelet words it when a connection does not come about. */

import { errorCode } from '../errors/index.ts';
import type { Clock } from '../clock/index.ts';
import { formatAddress } from '../net/index.ts';
import type { Net } from '../net/index.ts';
import type { TcpCheck } from './spec.ts';
import type { ProbeResult } from './threshold.ts';

export interface CheckDeps {
  readonly net: Net;
  readonly clock: Clock;
}

/** Succeeds when the connection opens. */
export function tcpCheck(check: TcpCheck, signal: AbortSignal, deps: CheckDeps): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = deps.net.connect({ kind: 'tcp', host: check.host, port: check.port });
    const finish = (result: ProbeResult): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(result);
      socket.destroy();
    };
    const onAbort = (): void => finish({ ok: false, message: `${dialing(check)}: i/o timeout` });
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => finish({ ok: true, message: 'connected' }));
    // Stays: a socket given up may still fail.
    socket.on('error', (error) => finish({ ok: false, message: dialFailed(check, error) }));
  });
}

/** `dial tcp 127.0.0.1:80: connect: connection refused`. */
export function dialFailed(check: { readonly host: string; readonly port: number }, error: unknown): string {
  return `${dialing(check)}: ${systemText(error)}`;
}

function dialing({ host, port }: { readonly host: string; readonly port: number }): string {
  return `dial tcp ${formatAddress({ kind: 'tcp', host, port })}`;
}

const systemTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ECONNRESET: 'connect: connection reset by peer',
  ETIMEDOUT: 'connect: connection timed out',
  ENOTFOUND: 'lookup: no such host',
};

function systemText(error: unknown): string {
  return (
    systemTexts[errorCode(error)] ?? `connect: ${error instanceof Error ? error.message : String(error)}`
  );
}
