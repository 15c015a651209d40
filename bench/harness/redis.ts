/** What the `redis` suite compares: Redis itself, nutcracker (twemproxy) and our ambassador before it, all pinned. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, tempDir, toolPath } from '../../test/harness/index.ts';
import type { RunningProcess, Teardown } from '../../test/harness/index.ts';
import { loadCpu, startPinned, startRole, subjectCpu } from './mesh.ts';

export type SubjectName = 'outrigger' | 'nutcracker' | 'direct';

/** Something redis-benchmark can be pointed at. Of `direct`, the process is Redis itself. */
export interface Subject {
  readonly name: SubjectName;
  readonly port: number;
  readonly process: RunningProcess;
}

/** A Redis without persistence. More clients than the idle ones of the memory figure may connect. */
export async function startRedisServer(
  t: Teardown,
  { cpu = loadCpu, replicaOf }: { cpu?: number; replicaOf?: Subject } = {},
): Promise<Subject> {
  const port = await freePort();
  const args = [
    ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', tempDir(t), '--save', '', '--appendonly', 'no'],
    ...['--maxclients', '15000', '--tcp-backlog', '4096', '--shutdown-timeout', '0'],
    ...['--repl-diskless-sync-delay', '0'],
    ...(replicaOf === undefined ? [] : ['--replicaof', '127.0.0.1', `${replicaOf.port}`]),
  ];
  const ready =
    replicaOf === undefined ? /Ready to accept/ : /MASTER <-> REPLICA sync: Finished with success/;
  const running = await startPinned(t, cpu, toolPath('redis-server'), args, ready);
  return { name: 'direct', port, process: running };
}

export async function startNutcracker(t: Teardown, redis: Subject): Promise<Subject> {
  const port = await freePort();
  const folder = tempDir(t);
  const config = join(folder, 'nutcracker.yml');
  writeFileSync(
    config,
    `pool:
  listen: 127.0.0.1:${port}
  backlog: 4096
  redis: true
  hash: fnv1a_64
  distribution: ketama
  auto_eject_hosts: false
  servers:
   - 127.0.0.1:${redis.port}:1
`,
  );
  const statistics = ['-a', '127.0.0.1', '-s', String(await freePort())];
  const args = ['-c', config, '-o', join(folder, 'log'), '-p', join(folder, 'pid'), ...statistics];
  const running = await startPinned(t, subjectCpu, toolPath('nutcracker'), args, { port });
  return { name: 'nutcracker', port, process: running };
}

export interface AmbassadorOptions {
  readonly primary: Subject;
  readonly replicas?: readonly Subject[];
  /** More flags of `outrigger ambassador`. */
  readonly flags?: readonly string[];
  readonly nodeArgs?: readonly string[];
}

/** The compiled ambassador as it comes: every default, metrics on. */
export async function startAmbassador(
  t: Teardown,
  { primary, replicas = [], flags = [], nodeArgs = [] }: AmbassadorOptions,
): Promise<Subject> {
  const args = [
    ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-level', 'warn'],
    ...['--primary', `127.0.0.1:${primary.port}`],
    ...replicas.flatMap(({ port }) => ['--replica', `127.0.0.1:${port}`]),
    ...flags,
  ];
  const started = await startRole(t, subjectCpu, 'ambassador', args, nodeArgs);
  const port = Number(started.addresses['redis']?.split(':').at(-1));
  return { name: 'outrigger', port, process: started.process };
}
