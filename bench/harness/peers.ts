/** Backends and peers: nginx answering, HAProxy in `mode tcp`, wrk loading; configured here, pinned by the caller. */

import { spawnSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, tempDir, toolPath } from '../../test/harness/index.ts';
import type { RunningProcess, Teardown } from '../../test/harness/index.ts';
import { loadCpu, startPinned, subjectCpu } from './mesh.ts';

export interface Server {
  readonly process: RunningProcess;
  readonly port: number;
}

/** `/` answers 100 bytes, `/bulk` 16 MiB. */
export async function startNginx(t: Teardown): Promise<Server> {
  const port = await freePort();
  const folder = tempDir(t);
  const bulk = join(folder, 'bulk');
  writeFileSync(bulk, '');
  truncateSync(bulk, 16 * 1024 * 1024);
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `worker_processes 1; daemon off; pid ${folder}/pid; error_log stderr crit;
     events { worker_connections 8192; }
     http { access_log off; sendfile on; keepalive_requests 1000000000; client_body_temp_path ${folder};
       proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
       server { listen 127.0.0.1:${port} backlog=8192; root ${folder};
         location = / { return 200 "${'0123456789'.repeat(10)}"; } } }`,
  );
  const args = ['-c', config, '-p', folder];
  return { process: await startPinned(t, loadCpu, toolPath('nginx'), args, { port }), port };
}

/** HAProxy relaying to one server, one thread. */
export async function startHaproxy(t: Teardown, backendPort: number): Promise<Server> {
  const port = await freePort();
  const config = join(tempDir(t), 'haproxy.cfg');
  writeFileSync(
    config,
    `global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen relay
  bind 127.0.0.1:${port} backlog 8192
  balance leastconn
  server backend 127.0.0.1:${backendPort}
`,
  );
  const args = ['-f', config];
  return { process: await startPinned(t, subjectCpu, toolPath('haproxy'), args, { port }), port };
}

export interface Load {
  readonly requests: number;
  readonly perSecond: number;
  readonly bytes: number;
  readonly errors: number;
}

/** wrk on the load's CPU. `close`: a connection per request. */
export function load(url: string, connections: number, seconds: number, close = false): Load {
  const header = close ? ['-H', 'Connection: close'] : [];
  const script = join(import.meta.dirname, 'report.lua');
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, ...header, '-s', script, url];
  const result = spawnSync('taskset', ['-c', String(loadCpu), toolPath('wrk'), ...args], {
    encoding: 'utf8',
  });
  const line = /^REPORT (.*)$/m.exec(result.stdout)?.[1];
  if (line === undefined) throw new Error(`wrk ${url} failed: ${result.stdout}${result.stderr}`);
  const [requests = 0, micros = 1, bytes = 0, errors = 0] = line.split(' ').map(Number);
  return { requests, perSecond: (requests / micros) * 1e6, bytes, errors };
}
