/**
 * A cluster as one of its nodes sees it, and whom to believe when they disagree.
 *
 * News spreads by gossip, so nodes differ for a while, and one that was cut off differs for long. Every election and
 * every slot that is given away raises an epoch: the node with the highest has heard the newest. A node that finds its
 * cluster down counts less than any that does not.
 */

import { formatAddress } from '@outrigger/core/net';

export const slotCount = 16_384;

export interface ClusterNode {
  readonly id: string;
  /** `HOST:PORT`, as clients reach it. */
  readonly name: string;
}

export interface SlotRange {
  readonly first: number;
  readonly last: number;
}

/** A primary, its replicas and its slots. */
export interface NodeGroup {
  readonly primary: ClusterNode;
  readonly replicas: readonly ClusterNode[];
  readonly ranges: readonly SlotRange[];
}

export interface ClusterView {
  /** Who sees it so. */
  readonly node: string;
  readonly ok: boolean;
  readonly epoch: number;
  readonly groups: readonly NodeGroup[];
}

/** Reads the replies to `CLUSTER SLOTS` and `CLUSTER INFO` of the node reached at `host`. */
export function readClusterView(node: string, host: string, slots: unknown, info: string): ClusterView {
  const groups = new Map<string, Gathered>();
  for (const entry of slots as readonly unknown[]) {
    const [first, last, ...nodes] = entry as [number, number, ...unknown[]];
    const [primary, ...replicas] = nodes.map((one) => readNode(one as readonly unknown[], host));
    if (primary === undefined) continue;
    const group: Gathered = groups.get(primary.id) ?? { primary, replicas: new Map(), ranges: [] };
    groups.set(primary.id, group);
    group.ranges.push({ first, last });
    for (const replica of replicas) group.replicas.set(replica.id, replica);
  }
  return {
    node,
    ok: /^cluster_state:ok\r?$/m.test(info),
    epoch: Number(/^cluster_current_epoch:(\d+)/m.exec(info)?.[1] ?? 0),
    groups: [...groups.values()].map((group) => ({ ...group, replicas: [...group.replicas.values()] })),
  };
}

interface Gathered {
  readonly primary: ClusterNode;
  readonly replicas: Map<string, ClusterNode>;
  readonly ranges: SlotRange[];
}

/** The newest; of several the first, so ask who is most likely to know first. */
export function newestView(views: readonly ClusterView[]): ClusterView | undefined {
  return views.reduce<ClusterView | undefined>((best, view) => {
    if (best === undefined) return view;
    if (view.ok !== best.ok) return view.ok ? view : best;
    return view.epoch > best.epoch ? view : best;
  }, undefined);
}

/** `[endpoint, port, id, [name, value, …]]`; since Redis 7 the endpoint may be missing, or `?` for an unknown host name. */
function readNode([endpoint, port, id, about]: readonly unknown[], askedHost: string): ClusterNode {
  const facts = Array.isArray(about) ? (about as string[]) : [];
  const at = facts.indexOf('ip');
  const ip = at === -1 ? undefined : facts[at + 1];
  const unnamed = typeof endpoint !== 'string' || endpoint === '' || endpoint === '?';
  const host = unnamed ? (endpoint === '?' && ip ? ip : askedHost) : endpoint;
  const name = formatAddress({ kind: 'tcp', host, port: Number(port) });
  return { id: typeof id === 'string' && id !== '' ? id : name, name };
}
