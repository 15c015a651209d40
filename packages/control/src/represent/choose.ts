/** The representation a client asked for. */

import type { Clock } from '@outrigger/core/clock';
import type { Form } from '../handlers/accept.ts';
import type { Resource } from '../registry/resource.ts';
import { partial } from './partial.ts';
import { plain } from './plain.ts';
import type { Representation } from './representation.ts';
import { includeObjectOf, table } from './table.ts';

export function representations(
  resource: Resource,
  form: Form,
  query: URLSearchParams,
  clock: Clock,
): Representation {
  switch (form) {
    case 'plain':
      return plain(resource);
    case 'table':
      return table(resource, includeObjectOf(query), clock);
    case 'partial':
    case 'partialList':
      return partial(resource);
  }
}
