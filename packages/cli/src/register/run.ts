/** `outrigger register … -- COMMAND`: a workload says that it is there, how it is, and that it goes. */

import { durationMs } from '@outrigger/core/api';
import { describeError, errorCode } from '@outrigger/core/errors';
import { Cleanup, version } from '@outrigger/core/lifecycle';
import type { Deps } from '@outrigger/core/lifecycle';
import { probeSettings, startProber, unhealthyMessage } from '@outrigger/core/probe';
import type { Prober, ProbePurpose } from '@outrigger/core/probe';
import { createApiClient, resolveConnection } from '@outrigger/core/watch';
import { InvalidConfig } from '@outrigger/core/config';
import { hostname } from 'node:os';
import { onSignals, waitForSignal } from '../run/signals.ts';
import { CommandProcess } from './command-process.ts';
import type { CommandExit } from './command-process.ts';
import { parseRegisterConfig } from './config.ts';
import type { RegisterConfig } from './config.ts';
import { Registration } from './registration.ts';

/** How often a workload looks whether somebody deleted its Pod. */
const deletionPollMs = 2000;
/** Wait before the command is started again after a failed liveness probe; doubled each time up to the longest. */
const restartBackoffMs = 1000;
const longestBackoffMs = 60_000;
/** What the command gets as it comes; SIGTERM and SIGINT are for us, and the command hears of them last. */
const forwarded = ['SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

export async function runRegister(
  values: Readonly<Record<string, unknown>>,
  command: readonly string[],
  deps: Deps,
): Promise<number> {
  const config = parseRegisterConfig(values, hostname().toLowerCase());
  if (command.length === 0) {
    throw new InvalidConfig([{ path: '--', got: 'no command', want: 'the command to run after --' }]);
  }
  const drainTimeoutMs = durationMs(String(values['drainTimeout']), 'drainTimeout');
  return new Workload(config, command, drainTimeoutMs, deps).run();
}

class Workload {
  readonly #config: RegisterConfig;
  readonly #deps: Deps;
  readonly #drainTimeoutMs: number;
  readonly #command: readonly string[];
  readonly #process: CommandProcess;
  readonly #cleanup = new Cleanup();
  readonly #startedAt: number;
  #registration: Registration | undefined;
  #probers: Prober[] = [];
  #restarts = 0;
  #restarting = false;

  constructor(config: RegisterConfig, command: readonly string[], drainTimeoutMs: number, deps: Deps) {
    this.#config = config;
    this.#command = command;
    this.#drainTimeoutMs = drainTimeoutMs;
    this.#deps = deps;
    this.#process = new CommandProcess(command, deps.clock);
    this.#startedAt = deps.clock.wall();
  }

  async run(): Promise<number> {
    try {
      return await this.#run();
    } catch (error) {
      // The command cannot be started, not even again: nothing is to be sent there.
      await this.#registration?.leave();
      throw error;
    } finally {
      await this.#cleanup.run();
    }
  }

  async #run(): Promise<number> {
    const { log } = this.#deps;
    const client = createApiClient(
      await resolveConnection(this.#config.control, this.#deps),
      { userAgent: `outrigger-register/${version}` },
      this.#deps,
    );
    this.#cleanup.add('control connection', () => client.close());
    const registration = new Registration(this.#config, this.#command, client, this.#deps);
    this.#registration = registration;
    const ending = waitForSignal();
    try {
      // Asked to end before the command has started: there is nothing to say goodbye for.
      if ((await Promise.race([registration.begin(), ending])) !== undefined) return 0;
    } catch (error) {
      if (errorCode(error).startsWith('REGISTER_')) throw error;
      log.warn('the control service cannot be reached: the command starts, registration follows', {
        error: describeError(error),
      });
    }
    await this.#process.start();
    this.#cleanup.add(
      'forwarded signals',
      onSignals(forwarded, (name) => this.#process.signal(name)),
    );
    this.#startProbes();
    this.#report(
      this.#config.readiness === undefined,
      'ContainersNotReady',
      'no readiness probe has succeeded yet',
    );
    void registration.registered.then(() => {
      process.stdout.write(`${JSON.stringify({ msg: 'ready', role: 'register', addresses: {} })}\n`);
    });
    const deleted = this.#untilDeleted(registration);
    for (;;) {
      const event = await Promise.race([ending, deleted, this.#process.exited]);
      if (typeof event === 'string') return this.#end(registration, event);
      if (!this.#restarting) return this.#ended(registration, event);
      const why = await this.#restart(Promise.race([ending, deleted]));
      if (why !== undefined) return this.#end(registration, why);
    }
  }

  /** Goodbye first, the command's end after those who still send to it have heard. */
  async #end(registration: Registration, why: string): Promise<number> {
    this.#deps.log.info('leaving', { why });
    await registration.sayGoodbye(this.#drainTimeoutMs);
    await this.#deps.clock.sleep(this.#config.drainDelayMs);
    for (const prober of this.#probers) prober.stop();
    const { code, signal } = await this.#process.stop(this.#drainTimeoutMs);
    await registration.leave();
    return signal === 'SIGTERM' || code === 143 ? 0 : (code ?? 1);
  }

  /** The command ended by itself, and with it all there was to register. */
  async #ended(registration: Registration, { code, signal }: CommandExit): Promise<number> {
    for (const prober of this.#probers) prober.stop();
    this.#deps.log.info('the command ended', { code, signal });
    await registration.leave();
    return code ?? 1;
  }

  /** Resolves with why there is to be no other start, if so. */
  async #restart(ending: Promise<string>): Promise<string | undefined> {
    const wait = Math.min(restartBackoffMs * 2 ** Math.min(this.#restarts, 10), longestBackoffMs);
    this.#restarts += 1;
    this.#report(false, 'CrashLoopBackOff', `restarted after a failed liveness probe, waiting ${wait} ms`);
    const why = await Promise.race([ending, this.#deps.clock.sleep(wait)]);
    if (why !== undefined) return why;
    await this.#process.start();
    this.#restarting = false;
    this.#startProbes();
    this.#report(this.#config.readiness === undefined, 'ContainersNotReady', 'started again, not probed yet');
    return undefined;
  }

  #startProbes(): void {
    for (const prober of this.#probers) prober.stop();
    const { readiness, liveness, address, ports } = this.#config;
    const named = Object.fromEntries(
      ports.flatMap(({ name, number }) => (name === undefined ? [] : [[name, number]])),
    );
    const target = { host: address, ports: named as Record<string, number> };
    this.#probers = [];
    const start = (
      purpose: ProbePurpose,
      probe: NonNullable<typeof readiness>,
      onChange: (good: boolean, why: string) => void,
    ): void => {
      const prober = startProber(
        {
          purpose,
          settings: probeSettings(probe, target),
          onResult: (result) => {
            if (result.ok) return;
            void this.#registration?.tell('Warning', 'Unhealthy', unhealthyMessage(purpose, result));
          },
          onChange: (state) => {
            this.#deps.log.info(`${purpose} changed`, { ...state });
            onChange(state.ok === true, state.message);
          },
        },
        this.#deps,
      );
      this.#probers.push(prober);
    };
    if (readiness !== undefined) {
      start('readiness', readiness, (good, why) => this.#report(good, 'ContainersNotReady', why));
    }
    if (liveness !== undefined) start('liveness', liveness, (good) => void (good || this.#dieForRestart()));
  }

  #dieForRestart(): void {
    this.#restarting = true;
    void this.#registration?.tell(
      'Normal',
      'Killing',
      'Container command failed liveness probe, will be restarted',
    );
    this.#report(false, 'ContainersNotReady', 'liveness probe failed');
    void this.#process.stop(this.#drainTimeoutMs);
  }

  #report(ready: boolean, reason: string, message: string): void {
    this.#registration?.update({
      running: this.#process.running,
      ready,
      reason,
      message,
      restarts: this.#restarts,
      startedAt: this.#startedAt,
      changedAt: this.#deps.clock.wall(),
    });
  }

  async #untilDeleted(registration: Registration): Promise<string> {
    for (;;) {
      await this.#deps.clock.sleep(deletionPollMs);
      try {
        if (await registration.deletedByOthers()) return 'the Pod was deleted';
      } catch (error) {
        // Not reachable just now: the command is not to suffer for it.
        this.#deps.log.debug('cannot look for the Pod', { error });
      }
    }
  }
}
