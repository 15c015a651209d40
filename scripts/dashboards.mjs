/**
 * Writes the Grafana dashboards of examples/monitoring from their descriptions.
 *
 *     node scripts/dashboards.mjs
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { adapter } from './dashboards/adapter.mjs';
import { ambassador } from './dashboards/ambassador.mjs';
import { grafana } from './dashboards/grafana.mjs';
import { proxy } from './dashboards/proxy.mjs';
import { root } from './setup/paths.mjs';

for (const [name, description] of Object.entries({ adapter, ambassador, proxy })) {
  const file = join(root, 'examples/monitoring/dashboards', `${name}.json`);
  const style = await resolveConfig(file);
  writeFileSync(file, await format(JSON.stringify(grafana(description)), { ...style, parser: 'json' }));
}
