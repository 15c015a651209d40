/** Where the servers' addresses come from: written down, or watched. */

import type { UpstreamSpec } from '../daemon/config.ts';
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

export interface ServerSet {
  /** Undefined unless it is known which one server that is. */
  readonly primary: Server | undefined;
  /** Why there is no primary. */
  readonly problem: string;
  readonly replicas: readonly Server[];
}

export interface ServerSource {
  readonly servers: ServerSet;
  close(): void;
}

/** Follows what the configuration names. `watch` is needed only where it names a Service. */
export async function openSource(
  config: Pick<Extract<UpstreamSpec, { kind: 'static' }>, 'primary' | 'replicas'>,
  watch: WatchService | undefined,
  onChange: () => void,
): Promise<ServerSource> {
  const opened = await followAll([config.primary, ...config.replicas], watch, onChange);
  const [primary, ...replicas] = opened as unknown as [EndpointWatch, ...EndpointWatch[]];
  return {
    get servers() {
      const [only, ...others] = primary.servers;
      const several = `its Service has ${others.length + 1} ready endpoints: it must select the primary alone`;
      return {
        primary: others.length === 0 ? only : undefined,
        problem: others.length === 0 ? primary.problem : several,
        replicas: distinct(replicas.flatMap((one) => one.servers)),
      };
    },
    close: () => {
      for (const followed of opened) followed.close();
    },
  };
}

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

function distinct(servers: readonly Server[]): Server[] {
  return [...new Map(servers.map((server) => [server.name, server])).values()];
}
