import { test } from 'tap';
import { foreignPage } from '../../src/handlers/page-guard.ts';
import { service, services, startControl } from '../harness.ts';

const judged = (headers: Record<string, string>, loopback = true) => foreignPage({ headers }, loopback);

test('programs on this machine get in', (t) => {
  for (const host of [
    '127.0.0.1:7080',
    '[::1]:7080',
    'localhost',
    'LOCALHOST:1',
    'api.localhost:80',
    '10.0.0.1',
    '',
  ]) {
    t.equal(judged({ host }), undefined, host);
  }
  t.equal(
    judged({ host: '127.0.0.1:7080', origin: 'http://127.0.0.1:7080' }),
    undefined,
    'a page of our own',
  );
  t.equal(judged({ host: 'control:7080' }, false), undefined, 'a name, where others are meant to reach us');
  t.end();
});

test('pages from elsewhere do not, nor names that point here', (t) => {
  t.match(judged({ host: '127.0.0.1:7080', origin: 'https://example.com' }), 'https://example.com');
  t.match(judged({ host: 'control:7080', origin: 'null' }, false), 'null');
  t.match(judged({ host: 'evil.example:7080' }), 'evil.example');
  t.end();
});

test('a page cannot create anything through a browser', async (t) => {
  const control = await startControl(t);
  const refused = await control.post(services, service('web'), { origin: 'https://example.com' });
  t.match(refused, {
    status: 403,
    body: { reason: 'Forbidden', message: /pages of https:\/\/example\.com/ },
  });
  t.equal((await control.get(services, { host: 'evil.example' })).status, 403);
  t.equal((await control.get(services)).body.items.length, 0);
});
