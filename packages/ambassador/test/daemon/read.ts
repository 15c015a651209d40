/** Configuration as the command line gives it, without an engine: defaults of the schema, then what the test says. */

import { ambassadorSchema, parseConfig } from '../../src/daemon/config.ts';
import type { AmbassadorConfig } from '../../src/daemon/config.ts';

export function read(values: Readonly<Record<string, unknown>>): AmbassadorConfig {
  const defaults = Object.entries(ambassadorSchema.fields).flatMap(([name, field]) =>
    field.default === undefined ? [] : [[name, structuredClone(field.default)] as const],
  );
  return parseConfig({ ...Object.fromEntries(defaults), ...values });
}
