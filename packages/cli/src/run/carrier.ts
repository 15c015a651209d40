/**
 * One configuration document, three carriers: a file, a key of a ConfigMap, or the `spec` of the daemon's own object.
 *
 * A carrier in the cluster is watched over the control connection of the flags, so a change reloads at once; with a
 * state directory its last document is restored before the first answer, and a start without the control service works.
 */

import type { Timer } from '@outrigger/core/clock';
import { configMapKind, metricsAdapterKind, redisAmbassadorKind } from '@outrigger/core/api';
import type { Kind } from '@outrigger/core/api';
import { parseDocument } from '@outrigger/core/config';
import type { ConfigSource } from '@outrigger/core/config';
import { errorCode, OutriggerError } from '@outrigger/core/errors';
import { version } from '@outrigger/core/lifecycle';
import type { Deps, Role } from '@outrigger/core/lifecycle';
import { createSource, hasControl } from '@outrigger/core/watch';
import type { ControlConfig } from '@outrigger/core/watch';
import { readFile, stat } from 'node:fs/promises';

export interface Carrier {
  /** The document as it is now. Throws CONFIG_UNREADABLE, CONFIG_MISSING, CONFIG_INVALID. */
  read(): Promise<ConfigSource>;
  /** `changed` is called whenever `read` may answer something new. */
  onChange(changed: () => void): void;
  close(): Promise<void>;
}

/** How often a configuration file is looked at; mounted ConfigMaps change by symlink, which events miss. */
const filePollMs = 1000;

/** Kinds whose `spec` is a daemon's document. */
const ownKinds: Partial<Record<Role, Kind>> = {
  ambassador: redisAmbassadorKind,
  adapter: metricsAdapterKind,
};

/** Undefined when the flags name none. Throws CONFIG_INVALID for a source that cannot be. */
export async function openCarrier(
  values: Readonly<Record<string, unknown>>,
  role: Role,
  deps: Deps,
): Promise<Carrier | undefined> {
  const { config, object } = values as { config?: string; object?: string };
  if (config !== undefined && object !== undefined) {
    throw invalid('--object', `${object} beside --config ${config}`, 'one of the two');
  }
  if (config?.startsWith('configmap:') === true) return openConfigMap(config, values, role, deps);
  if (object !== undefined) return openObject(object, values, role, deps);
  return config === undefined ? undefined : new FileCarrier(config, deps);
}

/** What changes with a file's content, as far as the file system tells; `''` when there is none. */
async function signature(file: string): Promise<string> {
  // No such file is a state like any other: `read` says what is wrong with it.
  const stats = await stat(file, { bigint: true }).catch(() => undefined);
  return stats === undefined ? '' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}

/** Looks at the file now and then and compares with what was read: a change between reading and watching is not missed. */
class FileCarrier implements Carrier {
  readonly #file: string;
  readonly #deps: Deps;
  #seen = '';
  #timer: Timer | undefined;

  constructor(file: string, deps: Deps) {
    this.#file = file;
    this.#deps = deps;
  }

  async read(): Promise<ConfigSource> {
    const file = this.#file;
    this.#seen = await signature(file);
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

  onChange(changed: () => void): void {
    this.#timer = this.#deps.clock.setTimeout(() => {
      void signature(this.#file).then((now) => {
        if (this.#timer === undefined) return;
        if (now !== this.#seen) changed();
        this.#seen = now;
        this.onChange(changed);
      });
    }, filePollMs);
  }

  close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    return Promise.resolve();
  }
}

function openConfigMap(
  source: string,
  values: Readonly<Record<string, unknown>>,
  role: Role,
  deps: Deps,
): Promise<Carrier> {
  const [, namespace, name, key] = /^configmap:([^/]+)\/([^/]+)\/(.+)$/.exec(source) ?? [];
  if (namespace === undefined || name === undefined || key === undefined) {
    throw invalid('--config', source, 'configmap:NAMESPACE/NAME/KEY');
  }
  return openWatched<string>(
    {
      name: source,
      kind: configMapKind,
      namespace,
      object: name,
      project: (object) => (object as { data?: Record<string, string> }).data?.[key],
      parse: (text) => parseDocument(text, source),
    },
    values,
    role,
    deps,
  );
}

function openObject(
  object: string,
  values: Readonly<Record<string, unknown>>,
  role: Role,
  deps: Deps,
): Promise<Carrier> {
  const kind = ownKinds[role];
  if (kind === undefined) throw invalid('--object', object, `nothing: there is no kind for a ${role}`);
  const [namespace, name, ...more] = object.split('/');
  if (namespace === undefined || namespace === '' || !name || more.length > 0) {
    throw invalid('--object', object, 'NAMESPACE/NAME');
  }
  return openWatched<Record<string, unknown>>(
    {
      name: `${kind.kind} ${object}`,
      kind,
      namespace,
      object: name,
      project: (found) => (found as { spec?: Record<string, unknown> }).spec ?? {},
      parse: (spec) => Promise.resolve(spec),
    },
    values,
    role,
    deps,
  );
}

interface Watched<R> {
  readonly name: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly object: string;
  /** Plain JSON; objects hold references to secrets, never secrets. */
  readonly project: (object: unknown) => R | undefined;
  readonly parse: (record: R) => Promise<Record<string, unknown>>;
}

async function openWatched<R>(
  watched: Watched<R>,
  values: Readonly<Record<string, unknown>>,
  role: Role,
  deps: Deps,
): Promise<Carrier> {
  const control = values as ControlConfig;
  if (!hasControl(control)) {
    throw invalid(
      '--control',
      'nothing',
      `a control URL, --kubeconfig or --in-cluster, to read ${watched.name}`,
    );
  }
  // A registry of its own: the daemon declares the same families for its own watches.
  const { Metrics } = await import('@outrigger/core/metrics');
  const own = { ...deps, metrics: new Metrics({ processMetrics: false }) };
  const source = await createSource(control, { role: `${role}-config`, version }, own);
  let record: R | undefined;
  let changed: (() => void) | undefined;
  source.watch<R>({
    resource: watched.kind,
    scopes: [{ namespace: watched.namespace, fieldSelector: `metadata.name=${watched.object}` }],
    project: (object) => watched.project(object),
    onChanges: ({ put, delete: gone }) => {
      // A document deleted under a running daemon is like an invalid one: the old one stays.
      record = put.at(-1)?.record ?? (gone.length > 0 ? undefined : record);
      changed?.();
    },
  });
  await source.start();
  await source.ready;
  return {
    read: async () => {
      if (record !== undefined) return { name: watched.name, document: await watched.parse(record) };
      throw new OutriggerError(`there is no ${watched.name}`, {
        code: 'CONFIG_MISSING',
        target: watched.name,
        hint: 'create it, or name another one',
      });
    },
    onChange: (listener) => void (changed = listener),
    close: async () => {
      await source.save();
      await source.close();
    },
  };
}

function invalid(path: string, got: string, want: string): OutriggerError {
  return new OutriggerError(`${path}: got ${got}, want ${want}`, { code: 'CONFIG_INVALID', target: path });
}
