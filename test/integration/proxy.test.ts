/** Control service and proxy together: endpoints come and go, configurations change, and no connection fails for it. */

import { test } from 'tap';
import { eventually } from '@outrigger/core/testing';
import { proxyDaemon } from '@outrigger/proxy';
import type { PublicationReport, ServiceReport } from '@outrigger/proxy';
import { configOf, Control } from './mesh/daemons.ts';
import type { Running } from './mesh/daemons.ts';
import { addEndpoint, createService, removeEndpoint } from './mesh/objects.ts';
import { ask, attempt, backend, Conversation, portOf } from './mesh/traffic.ts';
import { freePort } from '../harness/index.ts';
import type { Teardown } from '../harness/index.ts';

const web = 'default/web:http=127.0.0.1:0';

async function mesh(t: Teardown, backends = 1) {
  const control = await new Control(t).start();
  const client = await control.client();
  await createService(client);
  const servers = await Promise.all(Array.from({ length: backends }, () => backend(t)));
  for (const { port } of servers) await addEndpoint(client, port);
  const proxy = await control.proxy([web]);
  return { control, client, servers, proxy, port: portOf(proxy.daemon.addresses['default/web:http']) };
}

async function page(proxy: Running, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://${proxy.daemon.addresses['admin']}${path}`);
  return { status: response.status, text: await response.text() };
}

async function json<T>(proxy: Running, path: string): Promise<T> {
  return JSON.parse((await page(proxy, path)).text) as T;
}

test('endpoints that come and go are used and not used, and open connections stay', async (t) => {
  const { client, servers, port } = await mesh(t, 1);
  const [first] = servers;
  t.equal(await ask(port), String(first?.port));
  const open = new Conversation(t, port);
  t.equal(await open.ask(), String(first?.port));

  const second = await backend(t);
  await addEndpoint(client, second.port);
  await eventually('the new endpoint answers', async () => (await ask(port)) === String(second.port));

  await removeEndpoint(client, first?.port ?? 0);
  await eventually('only the new one answers', async () => {
    const answers = await Promise.all([ask(port), ask(port), ask(port), ask(port)]);
    return answers.every((answer) => answer === String(second.port));
  });
  t.equal(await open.ask(), String(first?.port), 'a connection outlives the removal of its endpoint');

  await removeEndpoint(client, second.port);
  await eventually('nothing left', async () => (await attempt(port)) === 'ECONNRESET');
});

test('connections made before the first sync wait for it', async (t) => {
  const control = await new Control(t, 'sqlite').start();
  const client = await control.client();
  const { port } = await backend(t);
  await createService(client);
  await addEndpoint(client, port);
  await control.stop();
  const published = await freePort();
  const starting = control.proxy([`default/web:http=127.0.0.1:${published}`]);
  const early = eventually('the port listens', async () => {
    const answer = await attempt(published);
    return answer === 'ECONNREFUSED' ? undefined : answer;
  });
  await control.start();
  await starting;
  t.equal(await early, String(port));
});

test('a reload publishes and withdraws without failing a connection', async (t) => {
  const { control, client, servers, proxy, port } = await mesh(t, 1);
  const open = new Conversation(t, port);
  await open.ask();
  await createService(client, 'api');
  const api = await backend(t);
  await addEndpoint(client, api.port, { service: 'api' });

  await proxy.daemon.reload(configOf(proxyDaemon, control.proxyDocument([web, 'default/api=127.0.0.1:0'])));
  const apiPort = portOf(proxy.daemon.addresses['default/api']);
  t.equal(await ask(apiPort), String(api.port), 'connections to a new port wait until its Service is known');
  t.equal(portOf(proxy.daemon.addresses['default/web:http']), port, 'what stays keeps its listener');
  t.equal(await open.ask(), String(servers[0]?.port));

  const idle = new Conversation(t, apiPort);
  await idle.ask();
  await proxy.daemon.reload(configOf(proxyDaemon, control.proxyDocument([web])));
  t.equal(await attempt(apiPort), 'ECONNREFUSED', 'withdrawn');
  t.equal(await idle.ask(), String(api.port), 'its open connections go on');
  t.notOk('default/api' in proxy.daemon.addresses);
});

test('a reload gives a listening address to another Service', async (t) => {
  const { control, client, proxy, port } = await mesh(t, 1);
  const open = new Conversation(t, port);
  const before = await open.ask();
  await createService(client, 'api');
  const api = await backend(t);
  await addEndpoint(client, api.port, { service: 'api' });
  const fixed = (service: string): string => `default/${service}:http=127.0.0.1:${port}`;

  await proxy.daemon.reload(configOf(proxyDaemon, control.proxyDocument([fixed('api')])));
  t.equal(await ask(port), String(api.port), 'the same address, the other Service');
  t.equal(await open.ask(), before, 'the open connection stays with its endpoint');
});

test('a configuration that cannot be applied changes nothing', async (t) => {
  const { control, servers, proxy, port } = await mesh(t, 1);
  const taken = await backend(t);
  const wanted = [web, 'default/a=127.0.0.1:0', `default/b=127.0.0.1:${taken.port}`];
  await t.rejects(proxy.daemon.reload(configOf(proxyDaemon, control.proxyDocument(wanted))), {
    code: 'LISTEN_FAILED',
  });
  t.same(Object.keys(proxy.daemon.addresses), ['admin', 'default/web:http']);
  await t.rejects(
    proxy.daemon.reload(configOf(proxyDaemon, control.proxyDocument([web], { nodeName: 'other' }))),
    { code: 'CONFIG_INVALID', message: /nodeName cannot change/ },
  );
  t.throws(() => configOf(proxyDaemon, control.proxyDocument(['web=:80', 'default/x=nowhere'])), {
    message: /web=:80[^]*default\/x=nowhere/,
  });
  t.equal(await ask(port), String(servers[0]?.port));
});

test('draining refuses what is new, waits for what is busy, and says that it is not ready', async (t) => {
  const { proxy, port } = await mesh(t, 1);
  const busy = new Conversation(t, port);
  await busy.ask();
  const drained = proxy.daemon.drain();
  const again = proxy.daemon.drain();
  t.equal(await attempt(port), 'ECONNREFUSED', 'no new connections');
  const ready = await page(proxy, '/readyz');
  t.equal(ready.status, 503);
  t.match(ready.text, /draining/);
  await busy.ask();
  busy.socket.end();
  await Promise.all([drained, again]);
  t.equal((await json<PublicationReport[]>(proxy, '/debug/services'))[0]?.connections, 0);
});

test('without the control service traffic goes on, after a restart of the proxy too', async (t) => {
  const { control, servers, proxy, port } = await mesh(t, 1);
  const answer = String(servers[0]?.port);
  const stateDir = `${control.url.slice('unix:'.length)}-state`;
  const kept = await control.proxy([web], { stateDir });
  await control.stop();
  t.equal(await ask(port), answer, 'the control service is gone');
  t.equal((await page(proxy, '/readyz')).status, 200, 'and the proxy is as ready as before');

  await kept.daemon.drain();
  await kept.daemon.close();
  const restarted = await control.proxy([web], { stateDir });
  t.equal(await ask(portOf(restarted.daemon.addresses['default/web:http'])), answer, 'from the snapshot');
});

test('a proxy that was killed comes back from its snapshot too', async (t) => {
  const { control, servers } = await mesh(t, 1);
  const stateDir = `${control.url.slice('unix:'.length)}-state`;
  const killed = await control.proxy([web], { stateDir });
  await eventually('a snapshot', async () => {
    const { snapshot } = await json<{ snapshot: { ageMs?: number } }>(killed, '/debug/watch');
    return snapshot.ageMs !== undefined;
  });
  // As a kill leaves it: nothing drained, nothing saved at the end.
  await killed.daemon.close();
  await control.stop();
  const restarted = await control.proxy([web], { stateDir });
  const port = portOf(restarted.daemon.addresses['default/web:http']);
  t.equal(await ask(port), String(servers[0]?.port));
});

test('a control service that comes back empty takes endpoints away only after the hold', async (t) => {
  const { control, servers, client } = await mesh(t, 2);
  const held = await control.proxy([web], { shrinkHold: '3s' });
  const port = portOf(held.daemon.addresses['default/web:http']);
  const answers = new Set(servers.map((server) => String(server.port)));
  await control.stop();
  await control.start();
  const waiting = await eventually('removals wait', async () => {
    const { held: groups } = await json<{ held: { resource: string; members: string[] }[] }>(
      held,
      '/debug/watch',
    );
    return groups.find(({ resource }) => resource === 'endpointslices');
  });
  t.equal(waiting.members.length, 2);
  t.ok(answers.has(await ask(port)), 'they are used meanwhile');

  const fresh = await backend(t);
  await createService(client);
  await addEndpoint(client, fresh.port);
  await eventually('additions apply at once', async () => (await ask(port)) === String(fresh.port));
  await eventually('then the old ones go', async () => {
    const all = await Promise.all([ask(port), ask(port), ask(port), ask(port)]);
    return all.every((one) => one === String(fresh.port));
  });
  t.match(held.deps.lines.join(''), /removals wait/);
});

test('health as kube-proxy answers it', async (t) => {
  const { proxy } = await mesh(t, 1);
  const health = await json<Record<string, unknown>>(proxy, '/healthz');
  t.match(health, { healthy: true, nodeEligible: true, status: { IPv4: { healthy: true } } });
  t.ok(Date.parse(String(health['lastUpdated'])) > 0 && Date.parse(String(health['currentTime'])) > 0);
  const live = await json<Record<string, unknown>>(proxy, '/livez');
  t.equal(live['healthy'], true);
  t.notOk('nodeEligible' in live, 'a Node about to leave is alive');
  t.equal((await page(proxy, '/readyz')).status, 200);
});

test('metrics: names, and the programming latency of a change', async (t) => {
  const { client, proxy, port } = await mesh(t, 1);
  await ask(port);
  const second = await backend(t);
  await addEndpoint(client, second.port, { changedAt: new Date(Date.now() - 1000).toISOString() });
  const programmed = 'outrigger_proxy_network_programming_duration_seconds';
  const text = await eventually('the change is observed', async () => {
    const { text: metrics } = await page(proxy, '/metrics');
    return new RegExp(`^${programmed}_count 1$`, 'm').test(metrics) ? metrics : undefined;
  });
  const sum = Number(new RegExp(`^${programmed}_sum (.+)$`, 'm').exec(text)?.[1]);
  t.ok(sum >= 1 && sum < 30, `${sum} s since the change`);
  const labels = 'service="default/web",port="http"';
  for (const line of [
    `outrigger_proxy_connections_opened_total{${labels}} 1`,
    `outrigger_proxy_connections_closed_total{${labels}} 1`,
    `outrigger_proxy_connections_active{${labels}} 0`,
    `outrigger_proxy_bytes_total{${labels},direction="received"} 4`,
    `outrigger_proxy_dial_duration_seconds_count{${labels}} 1`,
    `outrigger_proxy_endpoints{${labels},state="used"} 2`,
    `outrigger_proxy_connections_waiting{${labels}} 0`,
  ]) {
    t.ok(text.includes(line), line);
  }
  t.match(text, /^outrigger_watch_\w*age\w*\{/m, 'age of what the watches know');
});

test('why: each endpoint with its reasons, and a Service nobody knows is told so', async (t) => {
  const { servers, proxy } = await mesh(t, 1);
  const services = await json<PublicationReport[]>(proxy, '/debug/services');
  t.match(services, [{ publish: 'default/web:http', port: { endpoints: [{ status: 'used' }] } }]);
  const why = await json<ServiceReport & { source: string }>(proxy, '/debug/why?service=default/web:http');
  t.equal(why.service, 'default/web');
  t.equal(why.source, 'node');
  t.equal(why.ports[0]?.endpoints[0]?.key, `127.0.0.1:${servers[0]?.port}`);
  const stranger = await json<{ source: string }>(proxy, '/debug/why?service=default/web&from=203.0.113.9');
  t.equal(stranger.source, 'external');
  const unknown = await page(proxy, '/debug/why?service=default/nobody');
  t.equal(unknown.status, 422);
  t.match(unknown.text, /knows no Service "default\/nobody"/);
  const wrong = await page(proxy, '/debug/why?service=default/web&from=somewhere');
  t.equal(wrong.status, 422);
  t.match(wrong.text, /somewhere/);
});
