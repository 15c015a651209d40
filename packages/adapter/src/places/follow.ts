/** The places of a source as they come and go: one that was written down, or the endpoints of a Service. */

import { OutriggerError } from '@outrigger/core/errors';
import type { EndpointWatch, WatchService } from '@outrigger/core/watch';
import type { Place } from '../sources/source.ts';
import { whereOf } from './where.ts';

export interface Places {
  /** Now; equal places are the same object for as long as they are there. */
  readonly places: readonly Place[];
  /** Why there are none; '' when there are. */
  readonly problem: string;
  close(): void;
}

/**
 * Endpoints that are not ready are places too: their metrics say why. `watch` is undefined without a control service.
 * Calls `onChange` when places came or went. Throws ADDRESS_INVALID and ADAPTER_NO_CONTROL.
 */
export async function followPlaces(
  text: string,
  watch: WatchService | undefined,
  onChange: () => void,
): Promise<Places> {
  const where = whereOf(text);
  if (where.kind === 'place') return { places: [where.place], problem: '', close: () => {} };
  const { target, placeOf } = where;
  const name = `svc:${target.namespace}/${target.name}`;
  if (watch === undefined) {
    throw new OutriggerError(`${name} cannot be watched`, {
      code: 'ADAPTER_NO_CONTROL',
      target: text,
      hint: 'name the address itself, or say where the control service is with --control',
    });
  }
  let known: ReadonlyMap<string, Place> = new Map();
  const begun: { watch?: EndpointWatch } = {};
  const update = (): boolean => {
    // The first endpoints are told before there is anything to ask: they are read below.
    if (begun.watch === undefined) return false;
    const next = new Map<string, Place>();
    for (const endpoint of begun.watch.endpoints) {
      const place = placeOf(endpoint);
      const key = JSON.stringify(place);
      next.set(key, known.get(key) ?? place);
    }
    const same = next.size === known.size && [...next.keys()].every((key) => known.has(key));
    known = next;
    return !same;
  };
  const watched = await watch(target, () => {
    if (update()) onChange();
  });
  begun.watch = watched;
  update();
  return {
    get places() {
      return [...known.values()];
    },
    get problem() {
      if (known.size > 0) return '';
      return watched.problem.replace('no ready endpoint', 'no endpoint');
    },
    close: () => watched.close(),
  };
}
