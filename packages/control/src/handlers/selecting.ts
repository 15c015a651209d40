/** Selectors of a request, as one selection and the scope it can be looked up by. */

import { parseFieldSelector, parseLabelSelector } from '@outrigger/core/api';
import type { Scope } from '../cache/resource-cache.ts';
import type { Resource } from '../registry/resource.ts';
import type { Selection } from '../watch/selection.ts';
import { everything } from '../watch/selection.ts';

export interface Selected {
  readonly scope: Scope;
  readonly selection: Selection;
}

/** Throws 400 for selectors that are malformed or name a field this kind does not offer. */
export function selectedBy(
  resource: Resource,
  place: { readonly namespace: string; readonly name: string },
  selectors: { readonly labelSelector: string; readonly fieldSelector: string },
): Selected {
  const labels = parseLabelSelector(selectors.labelSelector);
  const fields = parseFieldSelector(withName(selectors.fieldSelector, place.name), resource.kind);
  const scope = {
    namespace:
      place.namespace || (resource.kind.namespaced ? (fields.exact('metadata.namespace') ?? '') : ''),
    name: fields.exact('metadata.name'),
  };
  if (labels.empty && fields.empty) return { scope, selection: everything };
  return {
    scope,
    selection: {
      id: `${labels.toString()}|${fields.toString()}`,
      matches: (entry) => labels.matches(entry.labels) && fields.matches(entry),
    },
  };
}

/** A watch or list of one name is the same as one with this field selector. */
function withName(fieldSelector: string, name: string): string {
  if (name === '') return fieldSelector;
  return fieldSelector === '' ? `metadata.name=${name}` : `${fieldSelector},metadata.name=${name}`;
}
