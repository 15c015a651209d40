import { testDeps } from '@outrigger/core/testing';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'tap';
import type { Test } from 'tap';
import {
  freePort,
  needs,
  startProcess,
  startRedis,
  tempDir,
  toolPath,
} from '../../../../test/harness/index.ts';
import { redisSource } from '../../src/redis/source.ts';
import type { RedisSpec } from '../../src/redis/source.ts';
import { SourceError } from '../../src/sources/source.ts';
import { samplesOf } from '../sources/page-text.ts';

/** `redis_up`, or the class of the failure. */
async function outcome(t: Test, address: string, more: Partial<RedisSpec> = {}): Promise<number | string> {
  const deps = testDeps();
  const source = redisSource(
    { address, latencyHistograms: true, ...more },
    { address, labels: {} },
    { ...deps, environment: { PASSWORD: 'right', WRONG: 'wrong' } },
  );
  t.teardown(() => source.close());
  try {
    const { families } = await source.collect({ signal: AbortSignal.timeout(10_000), leftMs: 10_000 });
    return samplesOf(families).get('redis_up') ?? 'nothing';
  } catch (error) {
    if (error instanceof SourceError) return error.class;
    throw error;
  }
}

test('over a unix socket', needs('redis-server', 'redis-cli'), async (t) => {
  const redis = await startRedis(t, { unix: true });
  t.equal(await outcome(t, `unix:${redis.socketPath}`), 1);
});

test(
  'with a password, and as a user who may ask INFO alone',
  needs('redis-server', 'redis-cli'),
  async (t) => {
    const redis = await startRedis(t, { config: { requirepass: 'right' } });
    t.equal(await outcome(t, redis.address), 'auth');
    t.equal(await outcome(t, redis.address, { passwordFrom: { env: 'WRONG' } }), 'auth');
    t.equal(await outcome(t, redis.address, { passwordFrom: { env: 'PASSWORD' } }), 1);
    await redis.cli('-a', 'right', 'ACL', 'SETUSER', 'reader', 'on', '>right', '+info');
    const reader = { username: 'reader', passwordFrom: { env: 'PASSWORD' } };
    t.equal(await outcome(t, redis.address, reader), 1);
    await redis.cli('-a', 'right', 'ACL', 'SETUSER', 'reader', '-info');
    t.equal(await outcome(t, redis.address, reader), 'auth');
  },
);

test(
  'over TLS, with the authority that signed and with another',
  needs('redis-server', 'openssl'),
  async (t) => {
    const folder = tempDir(t);
    const at = (name: string): string => join(folder, name);
    for (const name of ['server', 'other']) {
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
      const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)];
      execFileSync(
        toolPath('openssl'),
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:P-256',
          '-nodes',
          ...subject,
          ...files,
        ],
        { stdio: 'ignore' },
      );
    }
    const port = await freePort();
    const args = [
      ...['--port', '0', '--tls-port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
      ...[
        '--tls-cert-file',
        at('server.crt'),
        '--tls-key-file',
        at('server.key'),
        '--tls-auth-clients',
        'no',
      ],
      ...['--tls-ca-cert-file', at('server.crt')],
    ];
    await startProcess(t, toolPath('redis-server'), args, { ready: /Ready to accept connections/ });
    t.equal(await outcome(t, `rediss://127.0.0.1:${port}`, { caFile: at('server.crt') }), 1);
    t.equal(await outcome(t, `rediss://localhost:${port}`, { caFile: at('server.crt') }), 1);
    t.equal(await outcome(t, `rediss://127.0.0.1:${port}`, { caFile: at('other.crt') }), 'tls');
    t.equal(await outcome(t, `rediss://127.0.0.1:${port}`), 'tls');
    t.equal(await outcome(t, `rediss://127.0.0.1:${port}`, { caFile: at('none.crt') }), 'tls');
    t.equal(await outcome(t, `127.0.0.1:${port}`), 'unreachable', 'and without TLS');
  },
);
