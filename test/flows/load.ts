/** Reads the flow table: every YAML file of this folder, strictly, as a list of cases ready to be executed. */

import { readdir, readFile } from 'node:fs/promises';
import { parseDocument } from '@outrigger/core/config';
import { Fields } from './fields.ts';
import { readConnection, readExpectation, readModes, readSequence } from './notation.ts';
import { deleteObjects, replaceObjects, toObjects } from './objects.ts';
import type { ExecutorMode, FlowCase, FlowNode, FlowRow } from './types.ts';

const DEFAULT_NODE: FlowNode = {
  name: 'n1',
  zone: '',
  addresses: ['192.168.0.2'],
  nodePortAddresses: ['192.168.0.2'],
  podCIDRs: ['10.0.0.0/8'],
  serviceCIDRs: ['172.30.0.0/16'],
  masqueradeAll: false,
};

/** Every case of every file, in the order of the file names. */
export async function loadFlows(folder: string = import.meta.dirname): Promise<readonly FlowCase[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort();
  const cases = files.map(async (file) => {
    const text = await readFile(`${folder}/${file}`, 'utf8');
    return readCases(file.replace(/\.yaml$/, ''), await parseDocument(text, file));
  });
  return (await Promise.all(cases)).flat();
}

/** The cases of one document: the state it describes, then each of its variations. */
export function readCases(name: string, document: unknown): readonly FlowCase[] {
  const fields = new Fields(document, name);
  fields.texts('mirrors');
  const modes = readModes(fields);
  const node = readNode(fields, DEFAULT_NODE);
  const base: FlowCase = {
    name,
    node,
    objects: toObjects(fields.list('objects'), name),
    flows: readRows(fields.list('flows'), name, node, modes, []),
    sequences: fields
      .list('sequences')
      .map((value, index) => readSequence(value, `${name}.sequences[${index}]`, node, modes)),
    health: readHealth(fields),
  };
  const variations = fields
    .list('cases')
    .map((value, index) => readVariation(base, value, `${name}.cases[${index}]`));
  fields.end();
  return [base, ...variations];
}

/** A case that differs from the file's own in what it says and equals it in everything else. */
function readVariation(base: FlowCase, value: unknown, where: string): FlowCase {
  const fields = new Fields(value, where);
  const name = fields.text('name');
  const node = readNode(fields, base.node);
  const remaining = deleteObjects(base.objects, fields.texts('delete'), where);
  const only = fields.texts('only');
  const missing = only.find((row) => !base.flows.some((flow) => flow.name === row));
  if (missing !== undefined) throw new Error(`${where}.only: there is no flow ${JSON.stringify(missing)}`);
  const kept = only.length === 0 ? base.flows : base.flows.filter((flow) => only.includes(flow.name));
  const modes = fields.has('modes') ? readModes(fields) : undefined;
  const changes = fields.list('flows');
  const variation: FlowCase = {
    name: `${base.name}: ${name}`,
    node,
    objects: replaceObjects(remaining, toObjects(fields.list('objects'), where)),
    flows: readRows(changes, where, node, modes, retarget(kept, base.node, node)),
    sequences: [],
    health: fields.has('health') ? readHealth(fields) : base.health,
  };
  fields.end();
  return variation;
}

/** Rows that say who they are by name alone change the expectation of an inherited row; others are new. */
function readRows(
  values: readonly unknown[],
  where: string,
  node: FlowNode,
  modes: readonly ExecutorMode[] | undefined,
  inherited: readonly FlowRow[],
): readonly FlowRow[] {
  const rows = new Map(inherited.map((row) => [row.name, modes === undefined ? row : { ...row, modes }]));
  values.forEach((value, index) => {
    const place = `${where}.flows[${index}]`;
    const fields = new Fields(value, place);
    const name = fields.text('name');
    const known = rows.get(name);
    if (known !== undefined && inherited.length === 0)
      throw new Error(`${place}: a second flow ${JSON.stringify(name)}`);
    const connection = known ?? readConnection(fields, 'from', node);
    const expect = readExpectation(fields, connection.to);
    if (expect === undefined) throw new Error(`${place}: want endpoints or verdict`);
    if (known !== undefined && JSON.stringify(known.expect) === JSON.stringify(expect)) {
      throw new Error(`${place}: this is what ${JSON.stringify(name)} expects anyway`);
    }
    rows.set(name, { ...connection, name, modes: readModes(fields, known?.modes ?? modes), expect });
    fields.end();
  });
  return [...rows.values()];
}

/** `from: node` means the node of the variation. */
function retarget(rows: readonly FlowRow[], before: FlowNode, after: FlowNode): readonly FlowRow[] {
  return rows.map((row) => {
    const position = before.addresses.indexOf(row.from);
    return position === -1 ? row : { ...row, from: after.addresses[position] ?? row.from };
  });
}

function readNode(fields: Fields, inherited: FlowNode): FlowNode {
  if (!fields.has('node')) return inherited;
  const node = new Fields(fields.raw('node'), fields.place('node'));
  const texts = (name: 'addresses' | 'nodePortAddresses' | 'podCIDRs' | 'serviceCIDRs'): readonly string[] =>
    node.has(name) ? node.texts(name) : inherited[name];
  const read: FlowNode = {
    name: node.has('name') ? node.text('name') : inherited.name,
    zone: node.has('zone') ? node.text('zone') : inherited.zone,
    addresses: texts('addresses'),
    nodePortAddresses: texts('nodePortAddresses'),
    podCIDRs: texts('podCIDRs'),
    serviceCIDRs: texts('serviceCIDRs'),
    masqueradeAll: node.has('masqueradeAll') ? node.flag('masqueradeAll') : inherited.masqueradeAll,
  };
  node.end();
  return read;
}

function readHealth(fields: Fields): ReadonlyMap<string, number> | undefined {
  if (!fields.has('health')) return undefined;
  const place = fields.place('health');
  const counts = fields.raw('health') as Record<string, unknown>;
  const health = new Fields(counts, place);
  return new Map(Object.keys(counts).map((service) => [service, health.count(service)]));
}
