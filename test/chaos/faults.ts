/** What goes wrong, chosen by the seed. */

import type { Random } from '../../packages/core/src/clock/index.ts';
import { pause } from './checkers/checker.ts';
import type { World } from './world.ts';

export interface Fault {
  readonly name: string;
  readonly run: (world: World, random: Random) => Promise<void>;
}

export const faults: readonly Fault[] = [
  {
    name: 'control service killed, back after a moment',
    run: async (world, random) => {
      await world.control?.stop('SIGKILL');
      await pause(random.next() * 2000);
      await world.startControl();
    },
  },
  {
    name: 'control service asked to end, back at once',
    run: async (world) => {
      const exit = await world.control?.stop('SIGTERM');
      if (exit?.code !== 0)
        throw new Error(`the control service ended with ${JSON.stringify(exit)} instead of 0`);
      await world.startControl();
    },
  },
  {
    name: 'proxy killed and started while the control service is down',
    run: async (world, random) => {
      // What the proxy serves from afterwards is its snapshot, written at most every ten seconds.
      await pause(11_000);
      await world.control?.stop('SIGKILL');
      world.proxyDown = true;
      await world.proxy?.stop('SIGKILL');
      await world.startProxy();
      world.proxyDown = false;
      await pause(random.next() * 1000);
      await world.startControl();
    },
  },
  {
    name: 'an endpoint leaves and returns',
    run: async (world, random) => {
      const gone = Math.floor(random.next() * world.backends.length);
      await world.writeEndpoints(world.backends.filter((_, i) => i !== gone));
      await pause(random.next() * 500);
      await world.writeEndpoints(world.backends);
    },
  },
  {
    name: 'the replica of Redis stops answering for a while',
    run: async (world, random) => {
      const pid = world.redis?.replica.process.pid;
      if (pid === undefined) return;
      process.kill(pid, 'SIGSTOP');
      await pause(300 + random.next() * 700);
      process.kill(pid, 'SIGCONT');
    },
  },
];
