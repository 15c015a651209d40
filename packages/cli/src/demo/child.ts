/** The demo's processes: started, waited for, and ended with the demo. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { OutriggerError } from '@outrigger/core/errors';

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Started is: a line of stdout for which this answers something. Undefined: at once. */
  readonly ready?: (line: string) => Record<string, string> | undefined;
  /** Takes each line of stderr, and of stdout after the ready line. */
  readonly onLine: (name: string, line: string) => void;
}

/** A program that says nothing for so long did not start. */
const readyTimeoutMs = 15_000;
/** How long a program may take to end before it is killed. */
const stopTimeoutMs = 8000;

export class Child {
  readonly name: string;
  /** From the ready line. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #over = false;

  private constructor(
    name: string,
    addresses: Record<string, string>,
    process: ChildProcess,
    exited: Promise<unknown>,
  ) {
    this.name = name;
    this.addresses = addresses;
    this.#process = process;
    this.#exited = exited;
    void exited.then(() => (this.#over = true));
  }

  static async start(options: ChildOptions): Promise<Child> {
    const { name, command, args, onLine } = options;
    // A group of its own: Ctrl-C goes to the demo alone, which then ends everything in order.
    const process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const exited = once(process, 'exit');
    // A program that could not be started has been told of by `untilReady`.
    exited.catch(() => {});
    createInterface({ input: process.stderr }).on('line', (line) => onLine(name, line));
    const addresses = await untilReady(options, process);
    return new Child(name, addresses, process, exited);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Resolves when the program has ended, whoever ended it. */
  get ended(): Promise<unknown> {
    return this.#exited;
  }

  /** As if the machine had pulled the plug on it and what it started. */
  async kill(): Promise<void> {
    killGroup(this.pid);
    await this.#exited;
  }

  /** SIGTERM, and SIGKILL for the whole group when that does not end it. */
  async stop(): Promise<void> {
    if (this.#over) {
      // What it started may have outlived it.
      killGroup(this.pid);
      return;
    }
    this.#process.kill('SIGTERM');
    const insist = setTimeout(() => killGroup(this.pid), stopTimeoutMs);
    await this.#exited;
    clearTimeout(insist);
    killGroup(this.pid);
  }
}

/** The program leads a group of its own, so this reaches what it has started too. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined || pid === 0) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function untilReady(options: ChildOptions, child: ChildProcess): Promise<Record<string, string>> {
  const { name, ready, onLine } = options;
  const said: string[] = [];
  child.stderr?.on('data', (text: Buffer) => said.push(String(text)));
  return new Promise((resolve, reject) => {
    const failed = (what: string, cause?: Error): void => {
      clearTimeout(timer);
      const hint = said.join('').trim().split('\n').slice(-5).join(' | ');
      reject(new OutriggerError(`${name} ${what}`, { code: 'DEMO_CHILD_FAILED', target: name, hint, cause }));
    };
    const timer = setTimeout(() => {
      killGroup(child.pid);
      failed(`was not ready within ${readyTimeoutMs / 1000} s`);
    }, readyTimeoutMs);
    const done = (addresses: Record<string, string>): void => {
      clearTimeout(timer);
      resolve(addresses);
    };
    child.once('error', (error) => failed('could not be started', error));
    child.once('exit', (code, signal) => failed(`ended at once (${signal ?? `exit code ${code}`})`));
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const addresses = ready?.(line);
        if (addresses === undefined) onLine(name, line);
        else done(addresses);
      });
    }
    if (ready === undefined) child.once('spawn', () => done({}));
  });
}

/** The ready line of our own commands. */
export function outriggerReady(line: string): Record<string, string> | undefined {
  if (!line.startsWith('{') || !line.includes('"ready"')) return undefined;
  const parsed = JSON.parse(line) as { msg?: string; addresses?: Record<string, string> };
  return parsed.msg === 'ready' ? (parsed.addresses ?? {}) : undefined;
}
