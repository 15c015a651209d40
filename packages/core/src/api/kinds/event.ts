/** core/v1 Event: something that happened to an object. */

import type { Infer } from '../build.ts';
import { describe, integer, object, string } from '../build.ts';
import { humanDuration } from '../duration.ts';
import { parseTime } from '../time.ts';
import { validateEvent } from '../rules/small.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';
import { objectReference } from './meta.ts';

const source = object(
  { component: string('Program that reports'), host: string('Node that reports') },
  { description: 'Who reports' },
);

const series = object(
  {
    count: integer('How often it happened so far', { format: 'int32' }),
    lastObservedTime: string('When it happened last', { format: 'date-time' }),
  },
  { description: 'Further occurrences of the same event' },
);

const fields = {
  involvedObject: describe(objectReference, 'What it happened to'),
  reason: string('Why, as one CamelCase word'),
  message: string('What happened, as a sentence'),
  source,
  firstTimestamp: string('When it happened first', { format: 'date-time' }),
  lastTimestamp: string('When it happened last', { format: 'date-time' }),
  count: integer('How often it happened', { omitZero: true, format: 'int32' }),
  type: string('Normal or Warning'),
  eventTime: string('When it was seen first', { format: 'date-time' }),
  series,
  action: string('What was done about the object'),
  related: describe(objectReference, 'A second object it concerns'),
  reportingComponent: string('Name of the controller that reports', { keepEmpty: true }),
  reportingInstance: string('Which instance of that controller', { keepEmpty: true }),
};
export type Event = ObjectWith<typeof fields, 'involvedObject'>;
export type EventSource = Infer<typeof source>;

export const eventKind = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  shortNames: ['ev'],
  description: 'Something that happened to an object.',
  fields,
  required: ['involvedObject'],
  allowCreateOnUpdate: true,
  selectableFields: {
    'involvedObject.kind': (event) => event.involvedObject.kind ?? '',
    'involvedObject.namespace': (event) => event.involvedObject.namespace ?? '',
    'involvedObject.name': (event) => event.involvedObject.name ?? '',
    'involvedObject.uid': (event) => event.involvedObject.uid ?? '',
    'involvedObject.apiVersion': (event) => event.involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component || (event.reportingComponent ?? ''),
    type: (event) => event.type ?? '',
  },
  wholeTable: true,
  validate: validateEvent,
  columns: [
    { name: 'Last Seen', type: 'string', description: 'Age of the last time', priority: 0, cell: lastSeen },
    {
      name: 'Type',
      type: 'string',
      description: 'Normal or Warning',
      priority: 0,
      cell: (event) => event.type ?? '',
    },
    {
      name: 'Reason',
      type: 'string',
      description: 'Why, in a word',
      priority: 0,
      cell: (event) => event.reason ?? '',
    },
    { name: 'Object', type: 'string', description: 'What it happened to', priority: 0, cell: involved },
    { name: 'Source', type: 'string', description: 'Who reports', priority: 1, cell: reporter },
    {
      name: 'Message',
      type: 'string',
      description: 'What happened',
      priority: 0,
      cell: (event) => (event.message ?? '').trim(),
    },
    {
      name: 'First Seen',
      type: 'string',
      description: 'Age of the first time',
      priority: 1,
      cell: firstSeen,
    },
    {
      name: 'Count',
      type: 'string',
      description: 'How often',
      priority: 1,
      cell: (event) => String(event.series?.count ?? event.count ?? 1),
    },
    {
      name: 'Name',
      type: 'string',
      description: 'Name of the Event',
      priority: 1,
      cell: (event) => event.metadata.name ?? '',
    },
  ],
});

function lastSeen(event: Event, now: number): string {
  return age(
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp,
    now,
  );
}

function firstSeen(event: Event, now: number): string {
  return age(event.firstTimestamp ?? event.eventTime, now);
}

function age(time: string | null | undefined, now: number): string {
  const at = time ? parseTime(time) : undefined;
  return at === undefined ? '<unknown>' : humanDuration(now - at);
}

function involved(event: Event): string {
  const { kind, name } = event.involvedObject;
  return [(kind ?? '').toLowerCase(), name ?? ''].filter((part) => part !== '').join('/');
}

function reporter(event: Event): string {
  const component = event.source?.component || (event.reportingComponent ?? '');
  const instance = event.source?.host || (event.reportingInstance ?? '');
  return [component, instance].filter((part) => part !== '').join(', ');
}
