/** A real Redis Cluster for tests: primaries that share the slots, replicas of each, and slots that can be moved. */

import { eventually } from '@outrigger/core/testing';
import { freePort } from './free-port.ts';
import { startRedis } from './redis.ts';
import type { Redis } from './redis.ts';
import type { Teardown } from './teardown.ts';
import type { ToolName } from './tools.ts';

export interface ClusterOptions {
  /** Default: the installed `redis-server`. Another one is to be declared with `needs`. */
  readonly program?: ToolName;
  /** Default 3; with fewer no replica can be elected. */
  readonly primaries?: number;
  /** Default 1. */
  readonly replicasPerPrimary?: number;
  /** Silence after which a node counts as down. Default 1000. */
  readonly nodeTimeoutMs?: number;
  /** More directives of redis.conf, for every node. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface ClusterNode extends Redis {
  readonly id: string;
  readonly busPort: number;
  /** As it was created; an election changes that. */
  readonly replicaOf: ClusterNode | undefined;
}

/** A slot on its way: keys move as the test says, and meanwhile the old owner answers ASK for those that have gone. */
export interface SlotMove {
  /** Moves up to so many keys; resolves with how many went. */
  keys(count: number): Promise<number>;
  /** Moves what is left and makes the new owner known. */
  finish(): Promise<void>;
}

export interface Cluster {
  readonly nodes: readonly ClusterNode[];
  /** As created: the nth owns the nth part of the slots. */
  readonly primaries: readonly ClusterNode[];
  readonly replicas: readonly ClusterNode[];
  readonly addresses: readonly string[];
  beginMove(from: ClusterNode, to: ClusterNode, slot: number): Promise<SlotMove>;
  moveSlot(from: ClusterNode, to: ClusterNode, slot: number): Promise<void>;
  /** Resolves when every running node finds the cluster in order and every running replica follows its primary. */
  settled(): Promise<void>;
}

const SLOTS = 16_384;
const TIMEOUT_MS = 30_000;
const MIGRATE_AT_ONCE = 100;

/** Resolves when the cluster takes commands and its replicas have synced. Declare `needs('redis-server', 'redis-cli')`. */
export async function startCluster(t: Teardown, options: ClusterOptions = {}): Promise<Cluster> {
  const { primaries: count = 3, replicasPerPrimary = 1 } = options;
  const primaries = await Promise.all(Array.from({ length: count }, () => startNode(t, options, undefined)));
  const followed = primaries.flatMap((primary) => Array<ClusterNode>(replicasPerPrimary).fill(primary));
  const replicas = await Promise.all(followed.map((primary) => startNode(t, options, primary)));
  const cluster = clusterOf(primaries, replicas);
  await Promise.all(primaries.map((primary, i) => giveSlots(primary, i, count)));
  await introduce(cluster.nodes);
  for (const replica of replicas) await ok(replica, 'CLUSTER', 'REPLICATE', replica.replicaOf?.id ?? '');
  await cluster.settled();
  return cluster;
}

async function startNode(
  t: Teardown,
  { program, nodeTimeoutMs = 1000, config }: ClusterOptions,
  replicaOf: ClusterNode | undefined,
): Promise<ClusterNode> {
  // Not PORT + 10000: that may lie in the range the kernel gives to outgoing connections.
  const busPort = await freePort();
  const redis = await startRedis(t, {
    ...(program && { program }),
    config: {
      'cluster-enabled': 'yes',
      'cluster-config-file': 'nodes.conf',
      'cluster-port': String(busPort),
      'cluster-node-timeout': String(nodeTimeoutMs),
      ...config,
    },
  });
  return { ...redis, busPort, replicaOf, id: await redis.cli('CLUSTER', 'MYID') };
}

async function giveSlots(primary: ClusterNode, index: number, count: number): Promise<void> {
  const first = Math.floor((index * SLOTS) / count);
  const last = Math.floor(((index + 1) * SLOTS) / count) - 1;
  await ok(primary, 'CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
  // Else all begin with the same epoch and settle that among themselves first.
  await ok(primary, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
}

async function introduce(nodes: readonly ClusterNode[]): Promise<void> {
  const [first, ...others] = nodes as [ClusterNode, ...ClusterNode[]];
  for (const { port, busPort } of others) {
    await ok(first, 'CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort));
  }
  for (const node of nodes) {
    await eventually(
      `${node.address} knows ${nodes.length} nodes`,
      async () => {
        const known = await node.cli('CLUSTER', 'NODES');
        return known.split('\n').length === nodes.length && !known.includes('handshake');
      },
      TIMEOUT_MS,
    );
  }
}

function clusterOf(primaries: readonly ClusterNode[], replicas: readonly ClusterNode[]): Cluster {
  const nodes = [...primaries, ...replicas];
  const beginMove = async (from: ClusterNode, to: ClusterNode, slot: number): Promise<SlotMove> => {
    await ok(to, 'CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', from.id);
    await ok(from, 'CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', to.id);
    return slotMove(nodes, from, to, slot);
  };
  return {
    nodes,
    primaries,
    replicas,
    addresses: nodes.map(({ address }) => address),
    beginMove,
    async moveSlot(from, to, slot) {
      await (await beginMove(from, to, slot)).finish();
    },
    async settled() {
      const running = nodes.filter(({ process }) => !process.ended);
      for (const node of running) await nodeSettled(node, running);
    },
  };
}

function slotMove(nodes: readonly ClusterNode[], from: ClusterNode, to: ClusterNode, slot: number): SlotMove {
  const keys = async (count: number): Promise<number> => {
    const listed = await from.cli('CLUSTER', 'GETKEYSINSLOT', String(slot), String(count));
    const names = listed.split('\n').filter((name) => name !== '');
    const answer = await from.cli(
      ...['MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...names],
    );
    // NOKEY: they were deleted or had expired between our two commands.
    if (names.length > 0 && answer !== 'OK' && answer !== 'NOKEY') throw new Error(`MIGRATE: ${answer}`);
    return names.length;
  };
  return {
    keys,
    async finish() {
      while ((await keys(MIGRATE_AT_ONCE)) > 0);
      // The new owner first: as long as nobody else claims the slot, the old one still sends there with ASK.
      await ok(to, 'CLUSTER', 'SETSLOT', String(slot), 'NODE', to.id);
      await ok(from, 'CLUSTER', 'SETSLOT', String(slot), 'NODE', to.id);
      await eventually(`everybody knows who owns slot ${slot}`, async () => {
        const running = nodes.filter(({ process }) => !process.ended);
        const owners = await Promise.all(running.map((node) => ownerOf(node, slot)));
        return owners.every((owner) => owner === to.id);
      });
    },
  };
}

/** The id of the primary that `node` believes to own the slot. */
async function ownerOf(node: ClusterNode, slot: number): Promise<string | undefined> {
  const known = await node.cli('CLUSTER', 'NODES');
  return known
    .split('\n')
    .map((line) => line.split(' '))
    .find((words) => words.slice(8).some((range) => covers(range, slot)))?.[0];
}

/** `5`, `0-100`; one on its way is written `[5->-ID]` and belongs to the range beside it. */
function covers(range: string, slot: number): boolean {
  if (range.startsWith('[')) return false;
  const [first, last = first] = range.split('-').map(Number) as [number, number?];
  return first <= slot && slot <= last;
}

async function nodeSettled(node: ClusterNode, running: readonly ClusterNode[]): Promise<void> {
  await eventually(
    `node ${node.address} is in order`,
    async () => {
      const info = await node.cli('CLUSTER', 'INFO');
      const replication = await node.cli('INFO', 'replication');
      const linked = replication.includes('role:master') || replication.includes('master_link_status:up');
      const roles = await Promise.all(running.map((other) => other.cli('ROLE')));
      const believed = await rolesBelieved(node);
      const agreed = running.every(({ id }, i) => roles[i]?.startsWith(believed.get(id) ?? '?'));
      if (!info.includes('cluster_state:ok') || !linked || !agreed)
        throw new Error(`${info}\n${replication}`);
      return true;
    },
    TIMEOUT_MS,
  );
}

/** Who is `master` and who `slave`, as this node has heard of it. */
async function rolesBelieved(node: ClusterNode): Promise<Map<string, string>> {
  const lines = (await node.cli('CLUSTER', 'NODES')).split('\n').map((line) => line.split(' '));
  return new Map(lines.map(([id, , flags]) => [id ?? '', /master|slave/.exec(flags ?? '')?.[0] ?? '']));
}

async function ok(node: ClusterNode, ...command: readonly string[]): Promise<void> {
  const answer = await node.cli(...command);
  if (answer !== 'OK') throw new Error(`${node.address}: ${command.join(' ')}: ${answer}`);
}
