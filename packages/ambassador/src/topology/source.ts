/** Where the servers' addresses come from: written down, or watched. */

import type { Server, ServerSpec } from '../upstream/server.ts';
import { OutriggerError } from '@outrigger/core/errors';
import type { ServiceTarget } from '@outrigger/core/net';

/** The endpoints of a Service, as they change. */
export interface EndpointWatch {
  /** Ready endpoints now; empty until the first are known. */
  readonly servers: readonly Server[];
  /** Why there are none; '' when there are. */
  readonly problem: string;
  close(): void;
}

/** Watches a Service's endpoints; resolves once they are known, and calls `onChange` from then on. */
export type WatchService = (target: ServiceTarget, onChange: () => void) => Promise<EndpointWatch>;

/** The endpoints of each, in that order. */
export async function followAll(
  specs: readonly ServerSpec[],
  watch: WatchService | undefined,
  onChange: () => void,
): Promise<readonly EndpointWatch[]> {
  const opened: EndpointWatch[] = [];
  try {
    for (const spec of specs) opened.push(await follow(spec, watch, onChange));
  } catch (error) {
    for (const followed of opened) followed.close();
    throw error;
  }
  return opened;
}

async function follow(
  spec: ServerSpec,
  watch: WatchService | undefined,
  onChange: () => void,
): Promise<EndpointWatch> {
  if (spec.kind === 'server') return { servers: [spec.server], problem: '', close: () => {} };
  if (watch === undefined) {
    throw new OutriggerError(`svc:${spec.namespace}/${spec.name} cannot be watched`, {
      code: 'AMBASSADOR_NO_CONTROL',
      target: `${spec.namespace}/${spec.name}`,
      hint: 'name the server by HOST:PORT, or say where the control service is with --control',
    });
  }
  return watch(spec, onChange);
}
