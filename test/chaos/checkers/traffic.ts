/** Promise 3 and 7: traffic does not fail while a backend lives, whatever becomes of control service and configuration. */

import http from 'node:http';
import type { World } from '../world.ts';
import { Broken, pause } from './checker.ts';
import type { Checker } from './checker.ts';

const promise = 'fail static: traffic goes on';

export class Traffic implements Checker {
  readonly promise = promise;
  #requests = 0;
  #duringRestart = 0;

  async run(world: World, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const excused = world.proxyDown;
      try {
        await request(world.webPort);
        this.#requests += 1;
      } catch (error) {
        if (!excused && !world.proxyDown) throw new Broken(promise, (error as Error).message);
        this.#duringRestart += 1;
      }
      await pause(3);
    }
  }

  summary(): string {
    return `${this.#requests} requests answered; ${this.#duringRestart} refused while the proxy itself restarted`;
  }
}

function request(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = http.get({ host: '127.0.0.1', port, agent: false, timeout: 5000 }, (response) => {
      response.resume();
      response.once('end', resolve);
      response.once('error', reject);
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer within 5 s')));
    asked.once('error', reject);
  });
}
