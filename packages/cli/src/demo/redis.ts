/** A real Redis for the demo: a primary and a replica, where redis-server is installed. */

import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { freePort } from './free-port.ts';

export interface DemoRedis {
  readonly primary: string;
  readonly replica: string;
  readonly children: readonly Child[];
}

export function findRedis(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/usr/local/bin'];
  return folders
    .map((folder) => join(folder, 'redis-server'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        // Not in this folder: the next one is asked.
        return false;
      }
    });
}

export async function startRedis(
  binary: string,
  folder: string,
  onLine: (name: string, line: string) => void,
): Promise<DemoRedis> {
  const start = async (name: string, port: number, ...more: string[]): Promise<Child> => {
    const dir = join(folder, name);
    mkdirSync(dir, { recursive: true });
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      dir,
      '--daemonize',
      'no',
      ...more,
    ];
    const ready = (line: string) => (line.includes('Ready to accept connections') ? {} : undefined);
    return Child.start({ name, command: binary, args, ready, onLine });
  };
  const primaryPort = await freePort();
  const primary = await start('redis-primary', primaryPort, '--repl-diskless-sync-delay', '0');
  const replicaPort = await freePort();
  const replica = await start('redis-replica', replicaPort, '--replicaof', '127.0.0.1', String(primaryPort));
  return {
    primary: `127.0.0.1:${primaryPort}`,
    replica: `127.0.0.1:${replicaPort}`,
    children: [primary, replica],
  };
}
