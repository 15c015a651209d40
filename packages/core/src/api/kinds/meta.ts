/** The parts every kind shares: object metadata, references and conditions (meta/v1 of the published API). */

import type { Infer } from '../build.ts';
import { any, boolean, integer, keyedList, list, map, object, string } from '../build.ts';

export const ownerReference = object(
  {
    apiVersion: string('API version of the owner'),
    kind: string('Kind of the owner'),
    name: string('Name of the owner'),
    uid: string('UID of the owner: a new object of the same name is a different owner'),
    controller: boolean('Whether this owner manages the object; at most one may'),
    blockOwnerDeletion: boolean('Whether a foreground deletion of the owner waits for this object'),
  },
  { required: ['apiVersion', 'kind', 'name', 'uid'], description: 'An object this one belongs to' },
);
export type OwnerReference = Infer<typeof ownerReference>;

export const objectMeta = object(
  {
    name: string('Name, unique within the namespace and kind; cannot be changed'),
    generateName: string('Prefix from which the server makes a name when none is given'),
    namespace: string('Namespace the object lives in; cannot be changed'),
    uid: string('Identity in time and space, set by the server', { readOnly: true }),
    resourceVersion: string(
      'Opaque revision of this state of the object, for watches and optimistic concurrency',
    ),
    generation: integer('Counts the changes of the desired state', { format: 'int64', readOnly: true }),
    creationTimestamp: string('When the server stored the object', { format: 'date-time', readOnly: true }),
    deletionTimestamp: string('When deletion was asked for; finalizers may still hold the object', {
      format: 'date-time',
      readOnly: true,
    }),
    deletionGracePeriodSeconds: integer('Seconds granted for a graceful end', {
      format: 'int64',
      readOnly: true,
    }),
    labels: map(string(), 'Short identifying pairs that selectors match'),
    annotations: map(string(), 'Free-form pairs for tools'),
    ownerReferences: keyedList(ownerReference, ['uid'], 'Owners: deleted with the last of them'),
    finalizers: list(string(), 'Names of those who must act before the object is removed', {
      listType: 'set',
    }),
    managedFields: list(any(), 'Which manager set which field'),
    selfLink: string('Not used any more'),
  },
  { description: 'Standard object metadata' },
);
export type ObjectMeta = Infer<typeof objectMeta>;

export const objectReference = object(
  {
    kind: string('Kind of the object'),
    namespace: string('Namespace of the object'),
    name: string('Name of the object'),
    uid: string('UID of the object'),
    apiVersion: string('API version of the object'),
    resourceVersion: string('Revision the reference was made at'),
    fieldPath: string('Part of the object that is meant'),
  },
  { description: 'Points at another object' },
);
export type ObjectReference = Infer<typeof objectReference>;

export const condition = object(
  {
    type: string('Name of the condition, in CamelCase'),
    status: string('Whether it holds', { enum: ['True', 'False', 'Unknown'] }),
    observedGeneration: integer('Generation of the object this was judged from', {
      minimum: 0,
      format: 'int64',
    }),
    lastTransitionTime: string('When the status last changed', { format: 'date-time' }),
    reason: string('Why, as one CamelCase word', { maxLength: 1024 }),
    message: string('Why, as a sentence', { maxLength: 32768, keepEmpty: true }),
  },
  {
    required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
    description: 'One observed aspect of the current state',
  },
);
export type Condition = Infer<typeof condition>;

/** Conditions of own kinds and Services: one entry per type. */
export const conditions = keyedList(condition, ['type'], 'Observed aspects of the current state');
