/** Runs one daemon as this process: configuration, ready line, reload on SIGHUP or a new document, drain on SIGTERM. */

import { helpLines, loadConfig, processFields } from '@outrigger/core/config';
import type { ConfigSource, Problem } from '@outrigger/core/config';
import { checkStructure, durationMs, string } from '@outrigger/core/api';
import type { ObjectSchema } from '@outrigger/core/api';
import { describeError } from '@outrigger/core/errors';
import type { Daemon, DaemonDefinition, Deps, Role } from '@outrigger/core/lifecycle';
import { exitCodeOf } from '../exit.ts';
import { openCarrier } from './carrier.ts';
import type { Carrier } from './carrier.ts';
import { definitionOf } from './definitions.ts';
import { processDeps } from './deps.ts';
import { inClusterAddress } from './in-cluster.ts';
import { waitForSignal } from './signals.ts';

type Values = Readonly<Record<string, unknown>>;

/** npm and some terminals deliver one Ctrl-C twice: a repeat this soon is no second wish. */
const repeatMs = 1000;

/** The roles whose document may be the `spec` of an object of their own kind. */
const objectFields = {
  object: string('NAMESPACE/NAME of the object whose spec is the configuration document'),
};

export async function runDaemon(role: Role, args: readonly string[]): Promise<number> {
  const definition = withProcessFields(await definitionOf(role));
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help(definition));
    return 0;
  }
  const flags = load(definition, args, undefined);
  const carrier = await openCarrier(flags, role, processDeps(role, flags));
  try {
    return await runConfigured(definition, args, carrier);
  } finally {
    await carrier?.close();
  }
}

async function runConfigured(
  definition: DaemonDefinition<unknown>,
  args: readonly string[],
  carrier: Carrier | undefined,
): Promise<number> {
  const { role } = definition;
  const values = load(definition, args, await carrier?.read());
  const deps = processDeps(role, values);
  const ending = waitForSignal();
  const reloads = new Reloads(definition, args, carrier, deps);
  const starting = definition.start(definition.parse(values), { ...deps, reload: () => reloads.now() });
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
  const own = definition.role === 'ambassador' || definition.role === 'adapter' ? objectFields : {};
  const schema: ObjectSchema = {
    ...definition.schema,
    fields: { ...processFields, ...own, ...definition.schema.fields },
  };
  return { ...definition, schema };
}

/** Flags, environment, document and defaults; and where the API server of the pod is, which only the command may know. */
function load(
  definition: DaemonDefinition<unknown>,
  args: readonly string[],
  source: ConfigSource | undefined,
): Values {
  const { schema, checks } = definition;
  const environment = process.env;
  const validateDocument = (document: unknown): Problem[] => structureProblems(schema, document);
  const given = source === undefined ? {} : { source, validateDocument };
  const { values } = loadConfig({ schema, args, environment, checks, ...given });
  return values['inCluster'] === true
    ? { ...values, inClusterAddress: inClusterAddress(environment) }
    : values;
}

/** Unknown fields are told by the loader; what is missing may come from a flag. */
function structureProblems(schema: ObjectSchema, document: unknown): Problem[] {
  return checkStructure(schema, document)
    .errors.filter(({ reason }) => reason !== 'FieldValueRequired')
    .map(({ field, message }) => ({ path: field.replace(/^\./, ''), got: message, want: 'a valid value' }));
}

/** One reload after another, on SIGHUP and when the document changes; before the start is through they wait for it. */
class Reloads {
  readonly #reload: () => void;
  readonly #now: () => Promise<void>;
  readonly #started = Promise.withResolvers<Daemon>();

  constructor(
    definition: DaemonDefinition<unknown>,
    args: readonly string[],
    carrier: Carrier | undefined,
    deps: Deps,
  ) {
    let last: Promise<unknown> = this.#started.promise;
    const once = async (): Promise<void> => {
      const daemon = await this.#started.promise;
      const parsed = async (): Promise<unknown> => {
        try {
          return definition.parse(load(definition, args, await carrier?.read()));
        } catch (error) {
          daemon.refused?.();
          throw error;
        }
      };
      try {
        await daemon.reload(await parsed());
        deps.log.info('configuration reloaded');
      } catch (error) {
        deps.log.error('configuration refused, the old one stays', { problems: describeError(error) });
        throw error;
      }
    };
    this.#now = () => {
      const turn = last.then(once);
      // What was wrong was logged, and is told to who asked; the next reload begins afresh.
      last = turn.catch(() => undefined);
      return turn;
    };
    // Nobody waits for a signal: what was wrong was logged.
    this.#reload = () => void this.#now().catch(() => undefined);
    process.on('SIGHUP', this.#reload);
    carrier?.onChange(this.#reload);
  }

  begin(daemon: Daemon): void {
    this.#started.resolve(daemon);
  }

  /** Rejects with what is wrong with the configuration. */
  now(): Promise<void> {
    return this.#now();
  }

  end(): void {
    process.off('SIGHUP', this.#reload);
  }
}

/** Drains within the timeout, then closes. A second signal cuts the drain short. */
async function stop(daemon: Daemon, deps: Deps, signal: string, drainTimeoutMs: number): Promise<number> {
  deps.log.info('draining', { signal, drainTimeoutMs });
  const late = deps.clock
    .sleep(drainTimeoutMs)
    .then(() => deps.log.warn('drain timeout reached, closing what is left'));
  try {
    await Promise.race([daemon.drain(), late, waitForSignal(repeatMs)]);
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
