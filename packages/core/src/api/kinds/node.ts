/** core/v1 Node: a machine, with its addresses and its topology labels. */

import type { Infer } from '../build.ts';
import { any, boolean, integer, keyedList, list, map, object, string } from '../build.ts';
import type { Column } from '../schema.ts';
import { validateNode } from '../rules/small.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';

const taint = object(
  {
    key: string('Key'),
    value: string('Value'),
    effect: string('What it does to pods that do not tolerate it', {
      enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
    }),
    timeAdded: string('When it was added', { format: 'date-time' }),
  },
  { required: ['key', 'effect'] },
);

const spec = object(
  {
    podCIDR: string('Range of its pods'),
    podCIDRs: list(string(), 'Ranges of its pods, one per IP family', { listType: 'set' }),
    providerID: string('Identity given by the cloud'),
    unschedulable: boolean('Whether new pods keep away'),
    taints: list(taint, 'What keeps pods away'),
    configSource: any('Not used any more'),
    externalID: string('Not used any more'),
  },
  { description: 'What the node should be', default: {} },
);

const nodeCondition = object(
  {
    type: string('Name of the condition, such as Ready'),
    status: string('Whether it holds', { enum: ['True', 'False', 'Unknown'] }),
    lastHeartbeatTime: string('When it was last reported', { format: 'date-time' }),
    lastTransitionTime: string('When the status last changed', { format: 'date-time' }),
    reason: string('Why, as one word'),
    message: string('Why, as a sentence'),
  },
  { required: ['type', 'status'] },
);

const nodeAddress = object(
  { type: string('InternalIP, ExternalIP, Hostname …'), address: string('The address') },
  { required: ['type', 'address'] },
);
export type NodeAddress = Infer<typeof nodeAddress>;

const status = object(
  {
    capacity: map(any(), 'Resources of the machine'),
    allocatable: map(any(), 'Resources for pods'),
    phase: string('Not used any more'),
    conditions: keyedList(nodeCondition, ['type'], 'Observed aspects of the node'),
    addresses: keyedList(nodeAddress, ['type'], 'Its addresses'),
    daemonEndpoints: object(
      {
        kubeletEndpoint: object(
          { Port: integer('Port', { format: 'int32' }) },
          { required: ['Port'], description: 'The kubelet' },
        ),
      },
      { description: 'Ports of its daemons' },
    ),
    nodeInfo: any('Versions and identities'),
    images: list(any(), 'Images it has'),
    volumesInUse: list(string(), 'Volumes in use'),
    volumesAttached: list(any(), 'Volumes attached'),
    config: any('Not used any more'),
    runtimeHandlers: list(any(), 'Container runtimes'),
    features: any('Features of its runtime'),
    declaredFeatures: list(string(), 'Features it declares'),
  },
  { description: 'What was observed' },
);

const fields = { spec, status };
export type Node = ObjectWith<typeof fields, 'spec'>;

export const nodeKind = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  resource: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  description: 'A machine that pods run on, with its addresses and topology labels.',
  fields,
  required: ['spec'],
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec.unschedulable ?? false) },
  validate: validateNode,
  columns: [
    { name: 'Status', type: 'string', description: 'Whether it is ready', priority: 0, cell: nodeStatus },
    { name: 'Roles', type: 'string', description: 'Its roles, from labels', priority: 0, cell: roles },
    {
      name: 'Version',
      type: 'string',
      description: 'Its kubelet',
      priority: 0,
      afterAge: true,
      cell: version,
    },
    wide('Internal-IP', 'Address inside', 'InternalIP'),
    wide('External-IP', 'Address outside', 'ExternalIP'),
  ],
});

function nodeStatus(node: Node): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const words = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (node.spec.unschedulable === true) words.push('SchedulingDisabled');
  return words.join(',');
}

function roles(node: Node): string {
  const prefix = 'node-role.kubernetes.io/';
  const labels = Object.keys(node.metadata.labels ?? {});
  const names = labels.filter((label) => label.startsWith(prefix)).map((label) => label.slice(prefix.length));
  return names.toSorted().join(',') || '<none>';
}

function version(node: Node): string {
  const info = (node.status?.nodeInfo ?? {}) as { kubeletVersion?: string };
  return info.kubeletVersion ?? '';
}

function wide(name: string, description: string, type: string): Column<Node> {
  const cell = (node: Node) =>
    node.status?.addresses?.find((entry) => entry.type === type)?.address ?? '<none>';
  return { name, type: 'string', description, priority: 1, afterAge: true, cell };
}
