/** core/v1 ConfigMap: configuration as text. */

import { boolean, map, string } from '../build.ts';
import { validateConfigMap } from '../rules/small.ts';
import type { ObjectWith } from './define.ts';
import { defineKind } from './define.ts';

const fields = {
  immutable: boolean('Once true, the data cannot be changed any more'),
  data: map(string(), 'Text by key'),
  binaryData: map(string('', { format: 'byte' }), 'Bytes by key, in base64'),
};
export type ConfigMap = ObjectWith<typeof fields>;

export const configMapKind = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  shortNames: ['cm'],
  description: 'Configuration as text, by key.',
  fields,
  validate: validateConfigMap,
  columns: [
    {
      name: 'Data',
      type: 'string',
      description: 'Number of keys',
      priority: 0,
      cell: (map) => String(Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length),
    },
  ],
});
