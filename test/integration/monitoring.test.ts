/** What examples/monitoring ships: Prometheus takes it, the alerts fire when they should, and it names metrics that are there. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { adapter } from '../../scripts/dashboards/adapter.mjs';
import { ambassador } from '../../scripts/dashboards/ambassador.mjs';
import { grafana } from '../../scripts/dashboards/grafana.mjs';
import { proxy } from '../../scripts/dashboards/proxy.mjs';
import { root } from '../../scripts/setup/paths.mjs';
import { needs, tempDir, toolPath } from '../harness/index.ts';

const folder = join(root, 'examples/monitoring');
const promtool = (...args: readonly string[]): { status: number | null; output: string } => {
  const { status, stdout, stderr } = spawnSync(toolPath('promtool'), args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
};

interface Dashboard {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
}
const dashboards: Readonly<Record<string, Dashboard>> = Object.fromEntries(
  Object.entries({ adapter, ambassador, proxy }).map(([name, description]) => [
    name,
    grafana(description) as Dashboard,
  ]),
);
const queries = Object.values(dashboards).flatMap(({ panels }) =>
  panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
);

test('Prometheus takes the configuration and the alerts', needs('promtool'), async (t) => {
  t.match(promtool('check', 'config', join(folder, 'prometheus.yml')), { status: 0 });
});

test('each alert fires when it should and not before', needs('promtool'), async (t) => {
  const tests = join(folder, 'rules/outrigger_test.yaml');
  t.match(promtool('test', 'rules', tests), { status: 0 });
  const names = (file: string, field: string): string[] =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(new RegExp(`${field}: (\\w+)`, 'g'))].map(
      ([, name = '']) => name,
    );
  const tested = new Set(names('rules/outrigger_test.yaml', 'alertname'));
  t.strictSame(
    names('rules/outrigger.yaml', 'alert').filter((name) => !tested.has(name)),
    [],
    'every alert has a test',
  );
});

test('the dashboards are those of their descriptions', async (t) => {
  for (const [name, dashboard] of Object.entries(dashboards)) {
    const shipped = JSON.parse(readFileSync(join(folder, 'dashboards', `${name}.json`), 'utf8')) as unknown;
    t.strictSame(shipped, dashboard, `${name}.json: if not, run node scripts/dashboards.mjs`);
  }
});

test('the queries of the dashboards are PromQL', needs('promtool'), async (t) => {
  const rules = queries.map((expr, i) => ({
    record: `q${i}`,
    expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
  }));
  const file = join(tempDir(t), 'rules.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules }] }));
  t.match(promtool('check', 'rules', file), { status: 0 });
});

test('alerts and dashboards name metrics that are documented', async (t) => {
  const documented = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
  const text = queries.join('\n') + readFileSync(join(folder, 'rules/outrigger.yaml'), 'utf8');
  const names = new Set([...text.matchAll(/\boutrigger_(?!role\b)\w+/g)].map(([name]) => name));
  t.ok(names.size > 20, 'there are many');
  const unknown = [...names].filter((name) => !documented.includes(`\`${name.replace(/_bucket$/, '')}\``));
  t.strictSame(unknown, []);
});
