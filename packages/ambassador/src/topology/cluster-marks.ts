/** What a node of a cluster says of its own slots: which it has, and which are on their way. */

import type { SlotRange } from './cluster-view.ts';

export interface OwnSlots {
  readonly ranges: readonly SlotRange[];
  /** A slot of it goes to another node, key by key. */
  readonly gives: boolean;
  /** Ids of the nodes that a slot comes from. */
  readonly takesFrom: readonly string[];
}

/** Reads the node's own line of its answer to `CLUSTER NODES`; undefined when it is no primary, and so has no slots. */
export function readOwnSlots(nodes: string): OwnSlots | undefined {
  const own = nodes.split('\n').find((line) => /^\S+ \S+ myself,master\b/.test(line));
  if (own === undefined) return undefined;
  // Seven words about the node, and then its slots: `0-99`, `105`, `[7->-ID]` for one that goes, `[8-<-ID]` for one that comes.
  const words = own.trim().split(' ').slice(8);
  return {
    ranges: words.filter((word) => /^\d/.test(word)).map(readRange),
    gives: words.some((word) => word.includes('->-')),
    takesFrom: words.flatMap((word) => /-<-(\w+)/.exec(word)?.[1] ?? []),
  };
}

function readRange(word: string): SlotRange {
  const [first, last = first] = word.split('-').map(Number) as [number, number?];
  return { first, last };
}
