/** core/v1 Namespace: a scope for names. */

import { keyedList, list, object, string } from '../build.ts';
import { dns1123Label } from '../names.ts';
import { validateNamespace } from '../rules/small.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';

const namespaceCondition = object(
  {
    type: string('Name of the condition'),
    status: string('Whether it holds', { enum: ['True', 'False', 'Unknown'] }),
    lastTransitionTime: string('When the status last changed', { format: 'date-time' }),
    reason: string('Why, as one word'),
    message: string('Why, as a sentence'),
  },
  { required: ['type', 'status'] },
);

const fields = {
  spec: object(
    { finalizers: list(string(), 'Names of those who must act before the namespace is gone') },
    { description: 'What the namespace should be', default: {} },
  ),
  status: object(
    {
      phase: string('Active, or Terminating once its deletion was asked for', {
        enum: ['Active', 'Terminating'],
      }),
      conditions: keyedList(namespaceCondition, ['type'], 'Progress of a deletion'),
    },
    { description: 'What was observed', default: { phase: 'Active' } },
  ),
};
export type Namespace = ObjectWith<typeof fields, 'spec'>;

export const namespaceKind = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  resource: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  description: 'A scope for names: objects of different namespaces may share a name.',
  fields,
  required: ['spec'],
  validateName: dns1123Label,
  selectableFields: { 'status.phase': (namespace) => namespace.status?.phase ?? '' },
  validate: validateNamespace,
  columns: [
    {
      name: 'Status',
      type: 'string',
      description: 'Phase of the namespace',
      priority: 0,
      cell: (namespace) => namespace.status?.phase ?? '',
    },
  ],
});
