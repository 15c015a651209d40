/** The CRD manifests shipped in `examples/crds`, as they should be: for the test that compares and the program that writes. */

import { customResourceDefinition, kinds, ownGroup } from '@outrigger/core/api';
import { stringify } from 'yaml';

export const folder = new URL('../../../../examples/crds/', import.meta.url);

export interface Manifest {
  readonly file: string;
  readonly text: string;
}

export function manifests(): Manifest[] {
  return kinds
    .filter(({ group }) => group === ownGroup)
    .map((kind) => ({
      file: `${kind.resource}.yaml`,
      text: `# ${kind.kind}: ${kind.description}\n${yaml(customResourceDefinition(kind))}`,
    }));
}

/** In the repository's format, so that formatting leaves it alone. */
function yaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false });
}
