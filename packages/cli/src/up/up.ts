/** `outrigger up`: control service, proxy, and one ambassador or adapter per object found, in one process. */

import { boolean, durationMs, list, object, string } from '@outrigger/core/api';
import { helpLines, loadConfig, processFields } from '@outrigger/core/config';
import { Cleanup } from '@outrigger/core/lifecycle';
import type { Daemon, DaemonDefinition, Deps, Role } from '@outrigger/core/lifecycle';
import { Metrics } from '@outrigger/core/metrics';
import { definitionOf } from '../run/definitions.ts';
import { processDeps } from '../run/deps.ts';
import { waitForSignal } from '../run/signals.ts';
import { applyManifests } from './apply.ts';
import type { AppliedObject } from './apply.ts';

const schema = object({
  ...processFields,
  file: list(string(), 'manifests to apply: a file or folder; -f for short'),
  listen: string('address of the control service', { default: '127.0.0.1:7080' }),
  data: string('directory of the control service’s store', { default: './outrigger-data' }),
  memory: boolean('keep the store in memory', { default: false }),
  allowLoopbackEndpoints: boolean('accept endpoints in 127/8, for one machine', { default: true }),
  publish: list(string(), 'NS/SERVICE[:PORT]=ADDR, as for the proxy'),
  admin: string('admin address of the proxy', { default: '127.0.0.1:10256' }),
});

export async function up(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help());
    return 0;
  }
  const { values } = loadConfig({ schema, args: longForm(args), environment: process.env });
  const deps = processDeps('up', values);
  const cleanup = new Cleanup();
  const daemons: Daemon[] = [];
  try {
    const ending = waitForSignal();
    const addresses = await Promise.race([startAll(values, deps, cleanup, daemons), ending]);
    if (typeof addresses === 'string') return 0;
    process.stdout.write(`${JSON.stringify({ msg: 'ready', role: 'up', addresses })}\n`);
    const signal = await ending;
    deps.log.info('draining', { signal });
    const late = deps.clock.sleep(durationMs(String(values['drainTimeout']), 'drainTimeout'));
    // The control service last: what drains may still have something to say to it.
    await Promise.race([
      Promise.all(daemons.slice(1).map((daemon) => daemon.drain())),
      late,
      waitForSignal(),
    ]);
    return 0;
  } finally {
    await cleanup.run();
  }
}

/** `-f A B` is `--file A --file B`. */
function longForm(args: readonly string[]): string[] {
  let files = false;
  return args.flatMap((arg) => {
    if (arg === '-f' || arg === '--file') {
      files = true;
      return [];
    }
    if (arg.startsWith('-')) files = false;
    return files ? ['--file', arg] : [arg];
  });
}

async function startAll(
  values: Readonly<Record<string, unknown>>,
  deps: Deps,
  cleanup: Cleanup,
  daemons: Daemon[],
): Promise<Record<string, string>> {
  const addresses: Record<string, string> = {};
  const start = async (
    role: Role,
    name: string,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<Daemon> => {
    const definition = await definitionOf(role);
    // A registry and a log of its own for each: pages and lines stay apart.
    const own = {
      ...deps,
      metrics: new Metrics({ processMetrics: daemons.length === 0 }),
      log: deps.log.child({ role: name }),
    };
    const daemon = await definition.start(configOf(definition, fields), own);
    cleanup.add(name, () => daemon.close());
    daemons.push(daemon);
    for (const [key, address] of Object.entries(daemon.addresses)) addresses[`${name}/${key}`] = address;
    return daemon;
  };
  const { listen, data, memory, allowLoopbackEndpoints } = values;
  const control = await start('control', 'control', { listen, data, memory, allowLoopbackEndpoints });
  const url = `http://${control.addresses['api']}`;
  const applied = await applyManifests((values['file'] as string[] | undefined) ?? [], url, deps);
  const connection = { control: [url] };
  await start('proxy', 'proxy', { ...connection, publish: values['publish'], admin: values['admin'] });
  for (const object of applied) {
    const role = roleOf(object);
    if (role !== undefined)
      await start(role, `${role}/${object.namespace}/${object.name}`, { ...object.spec, ...connection });
  }
  return addresses;
}

/** Fields that are undefined fall to the daemon's own defaults. */
function configOf(definition: DaemonDefinition<unknown>, fields: Readonly<Record<string, unknown>>): unknown {
  const document = Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => value !== undefined && name in definition.schema.fields),
  );
  const { schema: own, checks } = definition;
  const loaded = loadConfig({
    schema: own,
    checks,
    args: [],
    environment: {},
    source: { name: `up ${definition.role}`, document },
  });
  return definition.parse(loaded.values);
}

function roleOf({ kind }: AppliedObject): Role | undefined {
  if (kind === 'RedisAmbassador') return 'ambassador';
  return kind === 'MetricsAdapter' ? 'adapter' : undefined;
}

function help(): string {
  const lines = helpLines(schema).map(([flag, text]) => `  ${flag.padEnd(34)} ${text}`);
  return `usage: outrigger up [-f FILE|FOLDER …] [FLAGS]\n\n${lines.join('\n')}\n`;
}
