/** A probe over time: the first after its delay, then one per period, never two at once. */

import type { Clock, Timer } from '../clock/index.ts';
import type { Net } from '../net/index.ts';
import { runCheck } from './check.ts';
import type { ProbePurpose, ProbeSettings } from './spec.ts';
import { Threshold } from './threshold.ts';
import type { ProbeResult, ProbeState } from './threshold.ts';

export interface ProberOptions {
  readonly purpose: ProbePurpose;
  readonly settings: ProbeSettings;
  /** The state changed: so many results in a row said so. */
  readonly onChange: (state: ProbeState) => void;
  /** Every single result, for Events and metrics. */
  readonly onResult?: (result: ProbeResult) => void;
}

export interface Prober {
  readonly state: ProbeState;
  /** No result is told any more. */
  stop(): void;
}

export function startProber(
  options: ProberOptions,
  deps: { readonly net: Net; readonly clock: Clock },
): Prober {
  const { purpose, settings, onChange, onResult } = options;
  const { clock } = deps;
  const threshold = new Threshold(purpose, settings);
  let stopped = false;
  let timer: Timer;
  const probe = async (): Promise<void> => {
    const startedAt = clock.now();
    const result = await runCheck(settings, deps);
    if (stopped) return;
    onResult?.(result);
    const changed = threshold.record(result);
    timer = clock.setTimeout(() => void probe(), Math.max(0, startedAt + settings.periodMs - clock.now()));
    if (changed !== undefined) onChange(changed);
  };
  timer = clock.setTimeout(() => void probe(), settings.initialDelayMs);
  return {
    get state() {
      return threshold.state;
    },
    stop: () => {
      stopped = true;
      timer.cancel();
    },
  };
}

/** The message of an `Unhealthy` Event: `Readiness probe failed: HTTP probe failed with statuscode: 500`. */
export function unhealthyMessage(purpose: ProbePurpose, result: ProbeResult): string {
  return `${purpose.charAt(0).toUpperCase()}${purpose.slice(1)} probe failed: ${result.message}`;
}
