import { test } from 'tap';
import { advertised } from '../../src/presence/advertised.ts';
import type { Interfaces } from '../../src/presence/advertised.ts';

const lo = { address: '127.0.0.1', internal: true };
const v4 = { address: '10.1.2.3', internal: false };
const v6 = { address: '2001:db8::7', internal: false };
const link = { address: 'fe80::1', internal: false };

function on(...addresses: readonly object[]): Interfaces {
  return { lo: [lo], eth0: addresses } as unknown as Interfaces;
}

test('all addresses are named by one the machine is reached by', async (t) => {
  t.equal(advertised('0.0.0.0:9102', on(link, v6, v4)), '10.1.2.3:9102');
  t.equal(advertised('http://0.0.0.0:9102/metrics', on(v4)), 'http://10.1.2.3:9102/metrics');
  t.equal(advertised('http://[::]:9102/metrics', on(v6, v4)), 'http://10.1.2.3:9102/metrics');
  t.equal(advertised('[::]:9102', on(link, v6)), '[2001:db8::7]:9102');
  t.equal(advertised('0.0.0.0:9102', on(v6)), '127.0.0.1:9102', 'IPv4 alone was asked for');
});

test('an address that was chosen stays', async (t) => {
  for (const address of [
    '10.0.0.7:1',
    'https://[::1]:9464/own',
    '[::2]:1',
    'unix:/run/x.sock',
    'http://0.0.0.0.example/',
  ])
    t.equal(advertised(address, on(v4)), address);
});
