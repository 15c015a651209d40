/** The pod itself as a source: its control group, and chosen processes of the /proc it shares. */

import type { MetricsSource } from '@outrigger/core/api';
import { OutriggerError } from '@outrigger/core/errors';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compileRegex } from '../regex.ts';
import type { Regex } from '../regex.ts';
import { FamilyBuilder } from '../sources/families.ts';
import { SourceError } from '../sources/source.ts';
import type { Answer, Asked, Source } from '../sources/source.ts';
import { addCgroup, cgroupFiles, deviceNames } from './cgroup.ts';
import { addGroup, Totals } from './groups.ts';
import { readMaybe, readProcess } from './process.ts';
import type { ProcessFacts } from './process.ts';
import { keyed } from './text.ts';

export type PodSpec = NonNullable<MetricsSource['pod']>;

/** Processes of one name at most; the newest beyond it are not measured. */
export const maxProcesses = 1000;

/** How processes of one name are found. */
type Chosen =
  { readonly by: 'command'; readonly regex: Regex } | { readonly by: 'pidFile'; readonly path: string };

interface Group {
  readonly name: string;
  readonly chosen: Chosen;
  readonly totals: Totals;
}

/** Throws ADAPTER_BAD_REGEX and CONFIG_INVALID. */
export function podSource(spec: PodSpec): Source {
  return new PodSource(spec);
}

class PodSource implements Source {
  readonly #cgroup: string;
  readonly #proc: string;
  readonly #groups: readonly Group[];
  /** Scrapes one after another: counters of ended processes are taken over once. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ cgroup, proc, processes = [] }: PodSpec) {
    this.#cgroup = cgroup;
    this.#proc = proc;
    this.#groups = processes.map((rule) => ({
      name: rule.name,
      chosen: chosenBy(rule),
      totals: new Totals(),
    }));
  }

  collect(asked: Asked): Promise<Answer> {
    const answer = this.#last.then(() => this.#collect(asked));
    this.#last = answer.catch(() => 'told to who asked for it');
    return answer;
  }

  close(): void {}

  async #collect({ signal, leftMs }: Asked): Promise<Answer> {
    const builder = new FamilyBuilder();
    const dropped = await this.#addProcesses(builder, () => {
      if (!signal.aborted) return;
      throw new SourceError('timeout', `the processes were not read within ${leftMs} ms; choose fewer`);
    });
    const files = await this.#readCgroup();
    if (files === undefined) {
      const hint = 'mount it (version 2), or name another directory in cgroup';
      throw new SourceError('unreachable', `there is no control group in ${this.#cgroup}; ${hint}`, {
        families: builder.families(),
      });
    }
    const names = deviceNames((await readMaybe(join(this.#proc, 'diskstats'))) ?? '');
    addCgroup(builder, files, names);
    return { families: builder.families(), dropped };
  }

  /** Undefined when it is none of version 2, all of which have cgroup.procs and cpu.stat. */
  async #readCgroup(): Promise<ReadonlyMap<string, string> | undefined> {
    const read = async (file: string) => [file, await readMaybe(join(this.#cgroup, file))] as const;
    const files = await Promise.all(cgroupFiles.map(read));
    const found = new Map(
      files.flatMap(([file, text]) => (text === undefined ? [] : [[file, text] as const])),
    );
    return found.has('cgroup.procs') && found.has('cpu.stat') ? found : undefined;
  }

  async #addProcesses(to: FamilyBuilder, checkTime: () => void): Promise<Readonly<Record<string, number>>> {
    if (this.#groups.length === 0) return {};
    const drops: Record<string, number> = {};
    const boot = keyed((await readMaybe(join(this.#proc, 'stat'))) ?? '').get('btime');
    const commands = await this.#commands(checkTime);
    for (const { name, chosen, totals } of this.#groups) {
      const pids = await pidsOf(chosen, commands);
      if (pids === undefined) drops['bad-pid-file'] = (drops['bad-pid-file'] ?? 0) + 1;
      const all = pids ?? [];
      if (all.length > maxProcesses) drops['too-many-processes'] = all.length - maxProcesses;
      const processes: ProcessFacts[] = [];
      for (const pid of all.slice(0, maxProcesses)) {
        checkTime();
        const facts = await readProcess(this.#proc, pid, boot);
        if (facts !== undefined) processes.push(facts);
      }
      addGroup(to, name, processes, totals.add(processes));
    }
    return drops;
  }

  /** Process id → command line; threads of the kernel have none. */
  async #commands(checkTime: () => void): Promise<ReadonlyMap<number, string>> {
    const commands = new Map<number, string>();
    if (!this.#groups.some(({ chosen }) => chosen.by === 'command')) return commands;
    for (const name of (await readdir(this.#proc)).filter((one) => /^\d+$/.test(one))) {
      checkTime();
      const text = await readMaybe(join(this.#proc, name, 'cmdline'));
      const command = text?.replaceAll('\0', ' ').trimEnd();
      if (command !== undefined && command !== '') commands.set(Number(name), command);
    }
    return commands;
  }
}

function chosenBy({ name, command, pidFile }: NonNullable<PodSpec['processes']>[number]): Chosen {
  if (command !== undefined && pidFile === undefined) return { by: 'command', regex: compileRegex(command) };
  if (pidFile !== undefined && command === undefined) return { by: 'pidFile', path: pidFile };
  throw new OutriggerError(`the processes ${name} need exactly one of command and pidFile`, {
    code: 'CONFIG_INVALID',
    target: name,
    hint: 'say how they are found',
  });
}

/** Undefined when the pid file holds no process id; none when it is not there, as for a program that does not run. */
async function pidsOf(chosen: Chosen, commands: ReadonlyMap<number, string>): Promise<number[] | undefined> {
  if (chosen.by === 'command') {
    return [...commands].flatMap(([pid, command]) => (chosen.regex.test(command) ? [pid] : []));
  }
  const text = await readMaybe(chosen.path);
  if (text === undefined) return [];
  const [pid] = /^\s*(\d{1,10})\s*$/.exec(text)?.slice(1) ?? [];
  return pid === undefined ? undefined : [Number(pid)];
}
