import { test } from 'tap';
import { serversAt } from '../../src/topology/services.ts';

test('the servers are the ready endpoints of a Service', async (t) => {
  const endpoint = { namespace: 'default', port: 7000 };
  const servers = serversAt([
    { ...endpoint, address: '10.0.0.1', ready: true, zone: 'a' },
    { ...endpoint, address: '10.0.0.2', ready: false },
    { ...endpoint, address: 'fd00::1', ready: true },
  ]);
  t.strictSame(
    servers.map(({ name, zone }) => [name, zone]),
    [
      ['10.0.0.1:7000', 'a'],
      ['[fd00::1]:7000', undefined],
    ],
  );
});
