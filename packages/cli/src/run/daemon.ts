/** Runs one daemon as this process: configuration, ready line, reload on SIGHUP or file change, drain on SIGTERM. */

import { helpLines, loadConfig, parseDocument, processFields } from '@outrigger/core/config';
import type { ConfigSource, Problem } from '@outrigger/core/config';
import { checkStructure, durationMs } from '@outrigger/core/api';
import type { ObjectSchema } from '@outrigger/core/api';
import { describeError, errorCode, OutriggerError } from '@outrigger/core/errors';
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
  const ending = waitForSignal();
  const reloads = new Reloads(definition, args, values, deps);
  const starting = definition.start(definition.parse(values), deps);
  const daemon = await Promise.race([starting, ending]);
  // Asked to end while it still waits for its first sync: nothing is under way yet.
  if (typeof daemon === 'string') return 0;
  process.stdout.write(`${JSON.stringify({ msg: 'ready', role, addresses: daemon.addresses })}\n`);
  reloads.begin(daemon);
  const signal = await ending;
  reloads.end();
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
  const source = await readSource(file);
  const validateDocument = (document: unknown): Problem[] => structureProblems(schema, document);
  return loadConfig({ schema, args, environment, checks, source, validateDocument }).values;
}

/** Unknown fields are told by the loader; what is missing may come from a flag. */
function structureProblems(schema: ObjectSchema, document: unknown): Problem[] {
  return checkStructure(schema, document)
    .errors.filter(({ reason }) => reason !== 'FieldValueRequired')
    .map(({ field, message }) => ({ path: field.replace(/^\./, ''), got: message, want: 'a valid value' }));
}

async function readSource(file: string): Promise<ConfigSource> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new OutriggerError(`cannot read the configuration ${file}: ${errorCode(cause)}`, {
      code: 'CONFIG_UNREADABLE',
      target: file,
      hint: 'name a readable YAML or JSON file with --config',
      cause,
    });
  });
  return { name: file, document: await parseDocument(text, file) };
}

/** One reload after another, on SIGHUP and when the file changes; before the start is through they wait for it. */
class Reloads {
  readonly #reload: () => void;
  readonly #file: unknown;
  readonly #started = Promise.withResolvers<Daemon>();

  constructor(
    definition: DaemonDefinition<unknown>,
    args: readonly string[],
    values: Readonly<Record<string, unknown>>,
    deps: Deps,
  ) {
    let last: Promise<unknown> = this.#started.promise;
    const once = async (): Promise<void> => {
      const daemon = await this.#started.promise;
      try {
        await daemon.reload(definition.parse(await load(definition, args)));
        deps.log.info('configuration reloaded');
      } catch (error) {
        deps.log.error('configuration refused, the old one stays', { problems: describeError(error) });
      }
    };
    this.#reload = () => void (last = last.then(once));
    this.#file = values['config'];
    process.on('SIGHUP', this.#reload);
    if (typeof this.#file === 'string')
      watchFile(this.#file, { interval: filePollMs, persistent: false }, this.#reload);
  }

  begin(daemon: Daemon): void {
    this.#started.resolve(daemon);
  }

  end(): void {
    process.off('SIGHUP', this.#reload);
    if (typeof this.#file === 'string') unwatchFile(this.#file, this.#reload);
  }
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
