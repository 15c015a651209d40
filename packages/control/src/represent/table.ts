/** Objects as rows for terminals: the kind's columns, with Age from the server. */

import type { Column, KubernetesObject } from '@outrigger/core/api';
import { ApiError, humanDuration, parseTime } from '@outrigger/core/api';
import type { Clock } from '@outrigger/core/clock';
import { decodeObject } from '../registry/codec.ts';
import type { Resource } from '../registry/resource.ts';
import type { Stored } from '../registry/write.ts';
import { listMetadata } from './list-head.ts';
import { partialObject } from './partial.ts';
import type { Representation } from './representation.ts';

export type IncludeObject = 'Metadata' | 'Object' | 'None';

interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

const head = { kind: 'Table', apiVersion: 'meta.k8s.io/v1' };

export function table(resource: Resource, include: IncludeObject, clock: Clock): Representation {
  const columns = layout(resource);
  const definitions = columns.map(({ definition }) => definition);
  const row = (stored: Stored): object => {
    const object = decodeObject(stored.value, stored.revision);
    const now = clock.wall();
    const cells = columns.map(({ cell }) => cell(object, now));
    return include === 'None'
      ? { cells }
      : { cells, object: include === 'Object' ? object : partialObject(stored) };
  };
  const one = (stored: Stored, columnDefinitions: readonly ColumnDefinition[] | null): Buffer => {
    const metadata = { resourceVersion: String(stored.revision) };
    return encode({ ...head, metadata, columnDefinitions, rows: [row(stored)] });
  };
  return {
    id: `table ${include}`,
    one: (stored) => one(stored, definitions),
    many: (items, meta) =>
      encode({
        ...head,
        metadata: listMetadata(meta),
        columnDefinitions: definitions,
        rows: items.map((stored) => row(stored)),
      }),
    inEvent: (stored, first) => one(stored, first ? definitions : null),
    firstDiffers: true,
    bookmark: (revision, annotations) =>
      encode({
        ...head,
        metadata: { resourceVersion: String(revision), annotations },
        columnDefinitions: null,
        rows: [],
      }),
  };
}

export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const asked = query.get('includeObject') || 'Metadata';
  if (asked === 'Metadata' || asked === 'Object' || asked === 'None') return asked;
  throw ApiError.badRequest(`includeObject: ${JSON.stringify(asked)} is none of Metadata, Object, None`);
}

interface Placed {
  readonly definition: ColumnDefinition;
  readonly cell: (object: KubernetesObject, now: number) => string | number;
}

/** Name first, Age behind the columns everyone sees. */
function layout({ kind }: Resource): Placed[] {
  const own = kind.columns.map((column) => ({ column, placed: placedColumn(column) }));
  const before = own.filter(({ column }) => column.afterAge !== true).map(({ placed }) => placed);
  if (kind.wholeTable === true) return before;
  const behind = own.filter(({ column }) => column.afterAge === true).map(({ placed }) => placed);
  return [nameColumn, ...before, ageColumn, ...behind];
}

function placedColumn(column: Column<KubernetesObject>): Placed {
  const { name, type, description, priority } = column;
  return {
    definition: { name, type, format: '', description, priority },
    cell: (object, now) => column.cell(object, now),
  };
}

const nameColumn: Placed = {
  definition: {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'Name of the object',
    priority: 0,
  },
  cell: ({ metadata }) => metadata.name ?? '',
};

const ageColumn: Placed = {
  definition: {
    name: 'Age',
    type: 'string',
    format: '',
    description: 'Time since its creation',
    priority: 0,
  },
  cell: ({ metadata }, now) => {
    const created = parseTime(metadata.creationTimestamp ?? '');
    return created === undefined ? '<unknown>' : humanDuration(now - created);
  },
};

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
