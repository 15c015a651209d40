/** Where the servers' addresses come from: written down, or watched. */

import type { AmbassadorConfig } from './config.ts';
import type { Server, ServerSpec } from './server.ts';
import { OutriggerError } from '@outrigger/core/errors';
import type { ServiceTarget } from '@outrigger/core/net';

/** The endpoints of a Service, as they change. */
export interface EndpointWatch {
  /** Ready endpoints now; empty until the first are known. */
  readonly servers: readonly Server[];
  close(): void;
}

/** Watches a Service's endpoints; resolves once they are known, and calls `onChange` from then on. */
export type WatchService = (target: ServiceTarget, onChange: () => void) => Promise<EndpointWatch>;

export interface ServerSet {
  /** Candidates: of several, the one that says it is a primary is used. */
  readonly primary: readonly Server[];
  readonly replicas: readonly Server[];
}

export interface ServerSource {
  readonly servers: ServerSet;
  close(): void;
}

/** Follows what the configuration names. `watch` is needed only where it names a Service. */
export async function openSource(
  config: Pick<AmbassadorConfig, 'primary' | 'replicas'>,
  watch: WatchService | undefined,
  onChange: () => void,
): Promise<ServerSource> {
  const opened: Followed[] = [];
  try {
    for (const spec of [config.primary, ...config.replicas]) opened.push(await follow(spec, watch, onChange));
  } catch (error) {
    for (const followed of opened) followed.close();
    throw error;
  }
  const [primary, ...replicas] = opened as [Followed, ...Followed[]];
  return {
    get servers() {
      return { primary: primary.servers, replicas: distinct(replicas.flatMap((one) => one.servers)) };
    },
    close: () => {
      for (const followed of opened) followed.close();
    },
  };
}

type Followed = EndpointWatch;

async function follow(
  spec: ServerSpec,
  watch: WatchService | undefined,
  onChange: () => void,
): Promise<Followed> {
  if (spec.kind === 'server') return { servers: [spec.server], close: () => {} };
  if (watch === undefined) {
    throw new OutriggerError(`svc:${spec.namespace}/${spec.name} cannot be watched`, {
      code: 'AMBASSADOR_NO_CONTROL',
      target: `${spec.namespace}/${spec.name}`,
      hint: 'name the server by HOST:PORT, or say where the control service is with --control',
    });
  }
  return watch(spec, onChange);
}

function distinct(servers: readonly Server[]): Server[] {
  return [...new Map(servers.map((server) => [server.name, server])).values()];
}
