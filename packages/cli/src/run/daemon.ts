/** Runs one daemon as this process: configuration, ready line, reload on SIGHUP or file change, drain on SIGTERM. */

import { helpLines, loadConfig, parseDocument, processFields } from '@outrigger/core/config';
import type { ConfigSource } from '@outrigger/core/config';
import { durationMs } from '@outrigger/core/api';
import type { ObjectSchema } from '@outrigger/core/api';
import { describeError } from '@outrigger/core/errors';
import type { Daemon, DaemonDefinition, Deps, Role } from '@outrigger/core/lifecycle';
import { readFile } from 'node:fs/promises';
import { unwatchFile, watchFile } from 'node:fs';
import { exitCodeOf } from '../exit.ts';
import { definitionOf } from './definitions.ts';
import { processDeps } from './deps.ts';
import { waitForSignal } from './signals.ts';

/** How often a configuration file is looked at; mounted ConfigMaps change by symlink, which events miss. */
const filePollMs = 1000;

export async function runDaemon(role: Role, args: readonly string[]): Promise<number> {
  const definition = withProcessFields(await definitionOf(role));
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help(definition));
    return 0;
  }
  const values = await load(definition, args);
  const deps = processDeps(role, values);
  const daemon = await definition.start(definition.parse(values), deps);
  process.stdout.write(`${JSON.stringify({ msg: 'ready', role, addresses: daemon.addresses })}\n`);
  const stopReloading = reloadOnChange(definition, args, values, daemon, deps);
  const signal = await waitForSignal();
  stopReloading();
  return stop(daemon, deps, signal, durationMs(String(values['drainTimeout']), 'drainTimeout'));
}

function withProcessFields(definition: DaemonDefinition<unknown>): DaemonDefinition<unknown> {
  const schema: ObjectSchema = {
    ...definition.schema,
    fields: { ...processFields, ...definition.schema.fields },
  };
  return { ...definition, schema };
}

async function load(
  definition: DaemonDefinition<unknown>,
  args: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const { schema, checks } = definition;
  const environment = process.env;
  const bare = loadConfig({ schema, args, environment, checks }).values;
  const file = bare['config'];
  if (typeof file !== 'string') return bare;
  return loadConfig({ schema, args, environment, checks, source: await readSource(file) }).values;
}

async function readSource(file: string): Promise<ConfigSource> {
  return { name: file, document: await parseDocument(await readFile(file, 'utf8'), file) };
}

function reloadOnChange(
  definition: DaemonDefinition<unknown>,
  args: readonly string[],
  values: Readonly<Record<string, unknown>>,
  daemon: Daemon,
  deps: Deps,
): () => void {
  const reload = (): void => {
    load(definition, args)
      .then((fresh) => daemon.reload(definition.parse(fresh)))
      .then(
        () => deps.log.info('configuration reloaded'),
        (error: unknown) =>
          deps.log.error('configuration refused, the old one stays', { problems: describeError(error) }),
      );
  };
  const file = values['config'];
  process.on('SIGHUP', reload);
  if (typeof file === 'string') watchFile(file, { interval: filePollMs, persistent: false }, reload);
  return () => {
    process.off('SIGHUP', reload);
    if (typeof file === 'string') unwatchFile(file, reload);
  };
}

/** Drains within the timeout, then closes. A second signal cuts the drain short. */
async function stop(daemon: Daemon, deps: Deps, signal: string, drainTimeoutMs: number): Promise<number> {
  deps.log.info('draining', { signal, drainTimeoutMs });
  const late = deps.clock
    .sleep(drainTimeoutMs)
    .then(() => deps.log.warn('drain timeout reached, closing what is left'));
  try {
    await Promise.race([daemon.drain(), late, waitForSignal()]);
    await daemon.close();
    return 0;
  } catch (error) {
    deps.log.error('could not stop cleanly', { error });
    return exitCodeOf(error);
  }
}

function help(definition: DaemonDefinition<unknown>): string {
  const lines = helpLines(definition.schema).map(([flag, text]) => `  ${flag.padEnd(34)} ${text}`);
  return `usage: outrigger ${definition.role} [FLAGS]\n\n${definition.summary}\n\n${lines.join('\n')}\n`;
}
