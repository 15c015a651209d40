/** Watches that must not be waited for without end. */

import type { Clock, Timer } from '@outrigger/core/clock';
import { OutriggerError } from '@outrigger/core/errors';
import type { WatchService } from '@outrigger/core/watch';

/** A reload that names a new Service waits so long for a control service that is away, ms; later ones wait for it. */
export const patienceMs = 10_000;

/** Rejects with ADAPTER_NO_CONTROL when the endpoints are not known in time. */
export function withPatience(watch: WatchService, clock: Clock): WatchService {
  return async (target, onChange) => {
    const watching = watch(target, onChange);
    let timer: Timer | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = clock.setTimeout(() => resolve('late'), patienceMs);
    });
    const first = await Promise.race([watching, late]).finally(() => timer?.cancel());
    if (first !== 'late') return first;
    // Nobody waits any more: whatever comes of it is let go of.
    watching.then(
      (watched) => watched.close(),
      () => undefined,
    );
    const name = `svc:${target.namespace}/${target.name}`;
    throw new OutriggerError(`the endpoints of ${name} are not known after ${patienceMs / 1000} s`, {
      code: 'ADAPTER_NO_CONTROL',
      target: name,
      hint: 'is the control service there? reload again when it is',
    });
  };
}
