/** coordination.k8s.io/v1 Lease: who holds something, and since when. */

import type { Infer } from '../build.ts';
import { integer, object, string } from '../build.ts';
import { validateLease } from '../rules/small.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';

const spec = object(
  {
    holderIdentity: string('Who holds the lease'),
    leaseDurationSeconds: integer('Seconds after renewTime until others may take it', { format: 'int32' }),
    acquireTime: string('When the holder took it', { format: 'date-time' }),
    renewTime: string('When the holder last renewed it', { format: 'date-time' }),
    leaseTransitions: integer('How often it changed hands', { format: 'int32' }),
    strategy: string('How a coordinated election picks the holder'),
    preferredHolder: string('Who should take it next'),
  },
  { description: 'Who holds it', default: {} },
);
export type LeaseSpec = Infer<typeof spec>;

const fields = { spec };
export type Lease = ObjectWith<typeof fields, 'spec'>;

export const leaseKind = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  description: 'Who holds something, renewed while they live.',
  fields,
  required: ['spec'],
  allowUnconditionalUpdate: false,
  allowCreateOnUpdate: true,
  validate: validateLease,
  columns: [
    {
      name: 'Holder',
      type: 'string',
      description: 'Who holds the lease',
      priority: 0,
      cell: (lease) => lease.spec.holderIdentity ?? '',
    },
  ],
});
