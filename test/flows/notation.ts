/** The short notations of a flow file: targets, clients, outcomes, steps. */

import { isIP, isIPv6 } from 'node:net';
import { parseDuration } from '@outrigger/core/api';
import { Fields, wrong } from './fields.ts';
import { toObjects } from './objects.ts';
import type {
  Connection,
  ExecutorMode,
  Expectation,
  FlowNode,
  Protocol,
  Sequence,
  Step,
  Target,
} from './types.ts';

const MODES: readonly ExecutorMode[] = ['model', 'userspace', 'nftables', 'iptables'];
/** Userspace binds real ports for each row, so a row asks for it. */
const DEFAULT_MODES: readonly ExecutorMode[] = ['model', 'nftables', 'iptables'];
/** What `from: pod` and `from: external` mean, by the family of the target. */
const CLIENTS = {
  4: { pod: '10.0.0.2', external: '203.0.113.2' },
  6: { pod: 'fd00:10::99', external: '2001:db8:ffff::2' },
} as const;

export function readModes(
  fields: Fields,
  inherited: readonly ExecutorMode[] = DEFAULT_MODES,
): readonly ExecutorMode[] {
  if (!fields.has('modes')) return inherited;
  const texts = fields.texts('modes');
  const unknown = texts.find((text) => !MODES.includes(text as ExecutorMode));
  if (unknown !== undefined) throw wrong(fields.place('modes'), MODES.join(' or '), unknown);
  return texts as ExecutorMode[];
}

/** `from`, `to` and the protocol behind it: `10.0.0.1:53/UDP`. A published port is reached from the node. */
export function readConnection(fields: Fields, from: 'from' | 'connect', node: FlowNode): Connection {
  const { target, protocol } = parseTarget(fields.text('to'), fields.place('to'));
  const client = fields.has(from) ? fields.text(from) : 'node';
  return { from: clientAddress(client, target, node, fields.place(from)), to: target, protocol };
}

/**
 * `endpoints` with `snat` (true, false or the endpoints it is true for), or `verdict`; undefined with neither. What
 * userspace mode publishes always comes from the node.
 */
export function readExpectation(fields: Fields, target: Target): Expectation | undefined {
  if (fields.has('verdict')) return { kind: fields.oneOf('verdict', ['drop', 'reject', 'pass']) };
  if (!fields.has('endpoints')) return undefined;
  const endpoints = fields.texts('endpoints').toSorted();
  const snat = fields.has('snat') ? fields.raw('snat') : target.kind === 'publish';
  if (typeof snat === 'boolean') return { kind: 'forward', endpoints, snat: snat ? endpoints : [] };
  return { kind: 'forward', endpoints, snat: fields.texts('snat').toSorted() };
}

export function readSequence(
  value: unknown,
  where: string,
  node: FlowNode,
  inherited: readonly ExecutorMode[],
): Sequence {
  const fields = new Fields(value, where);
  const name = fields.text('name');
  const modes = readModes(fields, inherited);
  const steps = fields.list('steps').map((step, index) => readStep(step, `${where}.steps[${index}]`, node));
  fields.end();
  return { name, modes, steps };
}

function readStep(value: unknown, where: string, node: FlowNode): Step {
  const fields = new Fields(value, where);
  const step = stepOf(fields, where, node);
  fields.end();
  return step;
}

function stepOf(fields: Fields, where: string, node: FlowNode): Step {
  if (fields.has('wait')) {
    const ms = parseDuration(fields.text('wait'));
    if (ms === undefined) throw wrong(fields.place('wait'), 'a duration', undefined);
    return { kind: 'wait', ms };
  }
  if (fields.has('apply')) return { kind: 'apply', objects: toObjects(fields.list('apply'), where) };
  return {
    kind: 'connect',
    ...readConnection(fields, 'connect', node),
    times: fields.has('times') ? fields.count('times') : 1,
    reaches: fields.oneOf('reaches', ['one', 'same', 'other', 'all']),
  };
}

function parseTarget(text: string, where: string): { target: Target; protocol: Protocol } {
  const published = /^publish ([^/:]+\/[^/:]+)(?::([^/:]+))?$/.exec(text);
  if (published !== null) {
    const [, service = '', port] = published;
    return { target: { kind: 'publish', service, port }, protocol: 'TCP' };
  }
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)(?:\/(TCP|UDP|SCTP))?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? '';
  if (match === null || isIP(address) === 0)
    throw wrong(where, 'IP:PORT[/PROTOCOL] or publish NS/SERVICE[:PORT]', text);
  const protocol = (match[4] ?? 'TCP') as Protocol;
  return { target: { kind: 'address', address, port: Number(match[3]) }, protocol };
}

function clientAddress(text: string, target: Target, node: FlowNode, where: string): string {
  const family = target.kind === 'address' && isIPv6(target.address) ? 6 : 4;
  if (text === 'pod' || text === 'external') return CLIENTS[family][text];
  const address = text === 'node' ? node.addresses.find((candidate) => isIP(candidate) === family) : text;
  if (address === undefined || isIP(address) === 0)
    throw wrong(where, 'pod, node, external or an IP address', text);
  return address;
}
