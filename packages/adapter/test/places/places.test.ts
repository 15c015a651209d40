import { FakeClock } from '@outrigger/core/clock';
import { test } from 'tap';
import type { EndpointWatch, ServiceEndpoint, WatchService } from '@outrigger/core/watch';
import { followPlaces } from '../../src/places/follow.ts';
import { patienceMs, withPatience } from '../../src/places/patience.ts';
import { whereOf } from '../../src/places/where.ts';

const endpoint = (address: string, more: Partial<ServiceEndpoint> = {}): ServiceEndpoint => ({
  address,
  port: 8080,
  ready: true,
  namespace: 'shop',
  ...more,
});

test('an address is a place as it is written', async (t) => {
  for (const address of ['http://127.0.0.1:9100/metrics', '127.0.0.1:6379', 'unix:/run/redis.sock'])
    t.strictSame(whereOf(address), { kind: 'place', place: { address, labels: {} } });
});

test('svc: stands where the host would', async (t) => {
  const address = (text: string, at = endpoint('10.0.0.1')): string => {
    const where = whereOf(text);
    return where.kind === 'service' ? where.placeOf(at).address : where.kind;
  };
  t.equal(address('http://svc:shop/web:http/metrics?x=1'), 'http://10.0.0.1:8080/metrics?x=1');
  t.equal(address('https://svc:shop/web'), 'https://10.0.0.1:8080');
  t.equal(address('svc:shop/web:9100/own'), 'http://10.0.0.1:8080/own');
  t.equal(address('svc:shop/redis'), '10.0.0.1:8080');
  t.equal(address('rediss://svc:shop/redis', endpoint('fd00::1')), 'rediss://[fd00::1]:8080');
  t.match(whereOf('http://svc:shop/web:http/metrics'), {
    target: { kind: 'service', namespace: 'shop', name: 'web', port: 'http' },
  });
  t.throws(() => whereOf('http://svc:Shop/web'), { code: 'ADDRESS_INVALID', message: /svc:Shop\/web/ });
});

test('a Service cannot be followed without a control service', async (t) => {
  await t.rejects(
    followPlaces('http://svc:shop/web', undefined, () => {}),
    { code: 'ADAPTER_NO_CONTROL', message: 'svc:shop/web cannot be watched', hint: /--control/ },
  );
});

test('places come and go with the endpoints, ready or not, and stay the same object while they are there', async (t) => {
  let endpoints: ServiceEndpoint[] = [];
  let problem = 'Service shop/web has no ready endpoint';
  let changed = (): void => {};
  let closed = 0;
  const watch: WatchService = async (_target, onChange) => {
    changed = onChange;
    const now: EndpointWatch = {
      get endpoints() {
        return endpoints;
      },
      get problem() {
        return problem;
      },
      close: () => void closed++,
    };
    return now;
  };
  let changes = 0;
  const followed = await followPlaces('http://svc:shop/web/metrics', watch, () => void changes++);
  t.strictSame([followed.places, followed.problem], [[], 'Service shop/web has no endpoint']);
  endpoints = [endpoint('10.0.0.1', { pod: 'web-0', node: 'n1' }), endpoint('10.0.0.2', { ready: false })];
  problem = '';
  changed();
  t.strictSame(followed.places, [
    { address: 'http://10.0.0.1:8080/metrics', labels: { namespace: 'shop', pod: 'web-0', node: 'n1' } },
    { address: 'http://10.0.0.2:8080/metrics', labels: { namespace: 'shop' } },
  ]);
  t.equal(changes, 1);
  const [first] = followed.places;
  endpoints = [endpoint('10.0.0.1', { pod: 'web-0', node: 'n1', ready: false })];
  problem = 'Service shop/web has no ready endpoint';
  changed();
  t.equal(changes, 2);
  t.equal(followed.places[0], first);
  t.equal(followed.problem, '', 'one that is not ready is asked nevertheless');
  changed();
  t.equal(changes, 2, 'readiness alone changes nothing');
  followed.close();
  t.equal(closed, 1);
});

test('endpoints told before the watch has begun are places, too', async (t) => {
  const watch: WatchService = (_target, onChange) => {
    onChange();
    return Promise.resolve({ endpoints: [endpoint('10.0.0.1')], problem: '', close: () => {} });
  };
  const followed = await followPlaces('http://svc:shop/web/metrics', watch, () => {});
  t.match(followed.places, [{ address: 'http://10.0.0.1:8080/metrics' }]);
});

test('a Service is not waited for without end once the adapter runs', async (t) => {
  const clock = new FakeClock();
  const known = Promise.withResolvers<EndpointWatch>();
  let closed = 0;
  const now = { endpoints: [endpoint('10.0.0.1')], problem: '', close: () => void closed++ };
  const watch = withPatience(() => known.promise, clock);
  const target = { kind: 'service', namespace: 'shop', name: 'web', port: undefined } as const;
  const late = watch(target, () => {});
  void clock.advance(patienceMs);
  await t.rejects(late, { code: 'ADAPTER_NO_CONTROL', target: 'svc:shop/web' });
  known.resolve(now);
  t.equal(await watch(target, () => {}), now, 'in time');
  t.equal(closed, 1, 'the one that came too late is closed');
});
