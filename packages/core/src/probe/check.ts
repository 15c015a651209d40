/** One probe, once: connects, asks, judges. Says what went wrong as kubelet does, so that Events read alike everywhere. */

import { tcpCheck } from './dial.ts';
import type { CheckDeps } from './dial.ts';
import { httpCheck } from './http.ts';
import type { ProbeSettings } from './spec.ts';
import type { ProbeResult } from './threshold.ts';

/** Never rejects; ends within `timeoutMs`. */
export async function runCheck(
  settings: Pick<ProbeSettings, 'check' | 'timeoutMs'>,
  deps: CheckDeps,
): Promise<ProbeResult> {
  const { check, timeoutMs } = settings;
  const late = new AbortController();
  const timer = deps.clock.setTimeout(() => late.abort(new Error('timeout')), timeoutMs);
  try {
    return check.kind === 'tcp'
      ? await tcpCheck(check, late.signal, deps)
      : await httpCheck(check, late.signal, deps);
  } finally {
    timer.cancel();
  }
}
