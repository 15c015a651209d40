/** The command after `--`: started, started again after a failed liveness probe, and ended in the end. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '@outrigger/core/clock';
import { OutriggerError } from '@outrigger/core/errors';

export interface CommandExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class CommandProcess {
  readonly #command: readonly string[];
  readonly #clock: Clock;
  #child: ChildProcess | undefined;
  #exited: Promise<CommandExit> = Promise.resolve({ code: 0, signal: null });

  constructor(command: readonly string[], clock: Clock) {
    this.#command = command;
    this.#clock = clock;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Of the last start. */
  get exited(): Promise<CommandExit> {
    return this.#exited;
  }

  /** Resolves when the command runs; rejects with COMMAND_NOT_STARTED. */
  async start(): Promise<void> {
    const [file = '', ...args] = this.#command;
    const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) =>
        reject(
          new OutriggerError(`cannot start ${file}`, {
            code: 'COMMAND_NOT_STARTED',
            target: file,
            hint: 'the command after -- must be a program in PATH or a path to one',
            cause,
          }),
        ),
      );
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** SIGTERM, then SIGKILL after the grace period. */
  async stop(graceMs: number): Promise<CommandExit> {
    this.signal('SIGTERM');
    const insist = this.#clock.setTimeout(() => this.signal('SIGKILL'), graceMs);
    const exit = await this.#exited;
    insist.cancel();
    return exit;
  }
}
