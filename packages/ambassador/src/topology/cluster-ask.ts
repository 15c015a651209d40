/** Asks the nodes of a cluster how they see it: a few at a time, until one of them tells. */

import type { Server } from '../upstream/server.ts';
import { newestView, readClusterView } from './cluster-view.ts';
import type { ClusterView } from './cluster-view.ts';
import { explain } from './connect.ts';
import type { Link } from './link.ts';

export interface Asked {
  /** The newest of those that came first. */
  readonly view: ClusterView | undefined;
  /** Who told nothing, and why. */
  readonly failures: readonly string[];
}

export interface AskOptions {
  /** How many are asked at once. */
  readonly atOnce: number;
  readonly link: (server: Server) => Link;
}

export async function askForView(servers: readonly Server[], options: AskOptions): Promise<Asked> {
  const failures: string[] = [];
  for (let i = 0; i < servers.length; i += options.atOnce) {
    const asked = servers.slice(i, i + options.atOnce);
    const answers = await Promise.all(asked.map((server) => viewOf(server, options)));
    const view = newestView(answers.filter((answer) => typeof answer !== 'string'));
    failures.push(...answers.filter((answer) => typeof answer === 'string'));
    if (view !== undefined) return { view, failures };
  }
  return { view: undefined, failures };
}

async function viewOf(server: Server, options: AskOptions): Promise<ClusterView | string> {
  const { name, address } = server;
  const link = options.link(server);
  try {
    const [slots, info] = await Promise.all([link.call('CLUSTER', 'SLOTS'), link.call('CLUSTER', 'INFO')]);
    const host = address.kind === 'tcp' ? address.host : '127.0.0.1';
    const view = readClusterView(name, host, slots, String(info));
    return view.groups.length > 0 ? view : `${name}: it knows nobody who serves slots`;
  } catch (error) {
    return `${name}: ${explain(error)}`;
  }
}
