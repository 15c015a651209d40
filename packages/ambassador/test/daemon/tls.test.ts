import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { freePort, needs, startRedis } from '../../../../test/harness/index.ts';
import { command, startAmbassador } from '../session/setting.ts';

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);

test(
  'rediss://: commands and polls go over TLS, to a server whose certificate is trusted',
  needs('redis-server', 'redis-cli'),
  async (t) => {
    const tlsPort = await freePort();
    const redis = await startRedis(t, {
      config: {
        'tls-port': String(tlsPort),
        'tls-cert-file': fixture('server.pem'),
        'tls-key-file': fixture('server.key'),
        'tls-ca-cert-file': fixture('ca.pem'),
        'tls-auth-clients': 'no',
      },
    });
    const untrusted = await startAmbassador(t, { primary: `rediss://localhost:${tlsPort}` });
    const refused = await (await untrusted.client()).ask('SET', 'k', 'v');
    t.match(refused, /^-OUTRIGGER no primary: localhost:\d+: (SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*)/);

    const before = getCACertificates('default');
    setDefaultCACertificates([...before, readFileSync(fixture('ca.pem'), 'utf8')]);
    t.teardown(() => setDefaultCACertificates(before));
    for (const host of ['localhost', '127.0.0.1']) {
      const amb = await startAmbassador(t, { primary: `rediss://${host}:${tlsPort}` });
      const client = await amb.client();
      client.send(command('SET', 'k', 'v') + command('GET', 'k') + command('MULTI') + command('GET', 'k') + command('EXEC')); // prettier-ignore
      t.equal(
        (await client.replies(5)).join(''),
        '+OK\r\n$1\r\nv\r\n+OK\r\n+QUEUED\r\n*1\r\n$1\r\nv\r\n',
        host,
      );
      await eventually('the poller is in', async () => (await amb.metric('server_up', `server="${host}:${tlsPort}",role="primary"`)) === 1); // prettier-ignore
    }
    await redis.process.stop('SIGKILL');
  },
);
