/** Subcommands: each is imported only when asked for, so that `--help` costs no more than Node itself. */

import { exitCodeOf, reportFailure } from './exit.ts';

export interface Command {
  readonly summary: string;
  /** Resolves with the exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  control: {
    summary: 'the control service: a small Kubernetes API for Services and EndpointSlices',
    run: async (args) => (await import('./run/daemon.ts')).runDaemon('control', args),
  },
  proxy: {
    summary: 'the Service load balancer',
    run: async (args) => (await import('./run/daemon.ts')).runDaemon('proxy', args),
  },
  ambassador: {
    summary: 'the Redis ambassador: reads to replicas, writes to the primary',
    run: async (args) => (await import('./run/daemon.ts')).runDaemon('ambassador', args),
  },
  adapter: {
    summary: 'the metrics adapter: one Prometheus endpoint for whatever the app speaks',
    run: async (args) => (await import('./run/daemon.ts')).runDaemon('adapter', args),
  },
  register: {
    summary: 'start a command and register it as an endpoint of a Service, with probes',
    run: async (args) => (await import('./register/command.ts')).register(args),
  },
  up: {
    summary: 'control, proxy, and one ambassador or adapter per object found, in one process',
    run: async (args) => (await import('./up/up.ts')).up(args),
  },
  why: {
    summary: 'which rule chose or excluded what: svc NS/NAME, redis COMMAND, metric LINE',
    run: async (args) => (await import('./why/why.ts')).why(args),
  },
  check: {
    summary: 'every problem of manifests and configuration files',
    run: async (args) => (await import('./check/check.ts')).check(args),
  },
};

export async function runCommand(argv: readonly string[]): Promise<number> {
  const [name = '--help', ...args] = argv;
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(usage());
    return 0;
  }
  if (name === '--version' || name === 'version') {
    process.stdout.write(`${(await import('@outrigger/core/lifecycle')).version}\n`);
    return 0;
  }
  const command = commands[name];
  if (command === undefined) {
    process.stderr.write(`outrigger: there is no command ${JSON.stringify(name)}\n\n${usage()}`);
    return 2;
  }
  try {
    return await command.run(args);
  } catch (error) {
    reportFailure(`outrigger ${name}`, error);
    return exitCodeOf(error);
  }
}

function usage(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  return `usage: outrigger COMMAND [FLAGS]     (outrigger COMMAND --help tells the flags)\n\n${lines.join('\n')}\n`;
}
