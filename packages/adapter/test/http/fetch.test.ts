import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'tap';
import type { Test } from 'tap';
import { nextTurn } from '@outrigger/core/clock';
import { eventually } from '@outrigger/core/testing';
import { freePort, needs, tempDir } from '../../../../test/harness/index.ts';
import { Fetcher } from '../../src/http/fetch.ts';
import type { PageRequest } from '../../src/http/fetch.ts';
import { plainHttp } from '../../src/http/options.ts';
import type { HttpOptions } from '../../src/http/options.ts';
import type { FailureClass } from '../../src/sources/source.ts';
import { SourceError } from '../../src/sources/source.ts';
import { asked, bodyOf, makeCertificates, serve, serveBytes, serveTls } from './servers.ts';

function fetcher(t: Test, options: Partial<HttpOptions> = {}, environment = {}): Fetcher {
  const made = new Fetcher({ ...plainHttp, ...options }, environment);
  t.teardown(() => made.close());
  return made;
}

async function failure(promise: Promise<unknown>): Promise<SourceError> {
  const error = await promise.then(
    () => new Error('it answered'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof SourceError) return error;
  throw error as Error;
}

const failsWith = async (
  t: Test,
  promise: Promise<unknown>,
  failed: FailureClass,
  text: RegExp,
): Promise<void> => {
  const error = await failure(promise);
  t.match({ class: error.class, message: error.message }, { class: failed, message: text });
};

test('one connection serves scrape after scrape; headers, credentials and the deadline are told', async (t) => {
  const seen: Record<string, unknown>[] = [];
  const server = await serve(t, (request, response) => {
    seen.push({ ...request.headers, method: request.method, url: request.url });
    response.setHeader('content-type', 'text/plain');
    response.end('up 1\n');
  });
  const source = fetcher(
    t,
    {
      headers: { 'X-Tenant': 'a' },
      authentication: { type: 'basic', username: 'ü', password: { from: 'env', name: 'PASS' } },
    },
    { PASS: 'päss' },
  );
  const request: PageRequest = {
    url: new URL(`${server.url}metrics?a=1`),
    headers: { accept: 'text/plain', 'x-tenant': 'default' },
    tellTimeout: true,
  };
  const page = await source.fetch(request, asked(9500));
  t.same([page.status, page.contentType, page.body.toString()], [200, 'text/plain', 'up 1\n']);
  await nextTurn();
  await source.fetch(request, asked());
  t.equal(server.connections(), 1);
  t.match(seen[0], {
    method: 'GET',
    url: '/metrics?a=1',
    accept: 'text/plain',
    'x-tenant': 'a',
    'x-prometheus-scrape-timeout-seconds': '9.5',
    authorization: `Basic ${Buffer.from('ü:päss').toString('base64')}`,
  });
});

test('a body is posted; secrets in files are read at each request', async (t) => {
  const seen: string[] = [];
  const server = await serve(t, (request, response) => {
    void bodyOf(request).then((body) => {
      seen.push(`${request.method} ${body} ${request.headers.authorization}`);
      response.end('{}');
    });
  });
  const path = join(tempDir(t), 'token');
  const source = fetcher(t, {
    authentication: { type: 'header', scheme: 'Bearer', credentials: { from: 'file', path } },
  });
  const request = { url: new URL(server.url), body: '{"type":"read"}' };
  await failsWith(t, source.fetch(request, asked()), 'auth', /cannot read .*token: ENOENT; it must exist/);
  for (const token of ['one', 'two']) {
    writeFileSync(path, `${token}\n`);
    await source.fetch(request, asked());
  }
  t.same(seen, ['POST {"type":"read"} Bearer one', 'POST {"type":"read"} Bearer two']);
});

test('statuses: refused credentials, errors, and what the caller takes', async (t) => {
  const server = await serve(t, (request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    response.end('page');
  });
  const source = fetcher(t);
  const get = (status: number, more = {}): Promise<unknown> =>
    source.fetch({ url: new URL(`${server.url}${status}`), ...more }, asked());
  await failsWith(
    t,
    get(500),
    'status',
    /127\.0\.0\.1:\d+\/500 answered 500 Internal Server Error; see its log/,
  );
  await failsWith(t, get(401), 'auth', /answered 401 Unauthorized; check username/);
  await failsWith(t, get(404), 'status', /check the path/);
  t.match(await get(503, { validStatus: (status: number) => status === 503 }), { status: 503 });
  await failsWith(t, get(200, { validStatus: () => false }), 'status', /answered 200 OK/);
});

test('what is shown of a URL has no query', async (t) => {
  const server = await serve(t, (_, response) => void response.writeHead(500).end());
  const error = await failure(fetcher(t).fetch({ url: new URL(`${server.url}x?token=secret`) }, asked()));
  t.notMatch(error.message, /secret/);
});

test('a server that hangs, before and within its headers and in its body, costs the deadline and no more', async (t) => {
  const starts = ['', 'HTTP/1.1 200 OK\r\ncontent-le', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf'];
  for (const start of starts) {
    const server = await serveBytes(t, (socket) => void socket.once('data', () => socket.write(start)));
    const abort = new AbortController();
    const pending = fetcher(t).fetch({ url: new URL(server.url) }, { signal: abort.signal, leftMs: 1234 });
    abort.abort();
    await failsWith(t, pending, 'timeout', /did not answer within 1234 ms; allow more time/);
  }
  const source = fetcher(t);
  const server = await serve(t, (_, response) => void response.end('x'));
  const url = new URL(server.url);
  await failsWith(t, source.fetch({ url }, { signal: AbortSignal.abort(), leftMs: 0 }), 'timeout', /0 ms/);
  t.equal(server.connections(), 0, 'not even asked when it is too late');
});

test('half an answer is none', async (t) => {
  const answers = [
    'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\nhalf',
    'HTTP/1.1 200 OK\r\n',
    '',
  ];
  for (const answer of answers) {
    const server = await serveBytes(t, (socket) => void socket.once('data', () => socket.end(answer)));
    const pending = fetcher(t).fetch({ url: new URL(server.url) }, asked());
    await failsWith(t, pending, 'unreachable', /closed|cut short|reset/);
  }
  const garbage = await serveBytes(
    t,
    (socket) => void socket.once('data', () => socket.end('-ERR wrong\r\n')),
  );
  await failsWith(t, fetcher(t).fetch({ url: new URL(garbage.url) }, asked()), 'parse', /is not HTTP/);
});

test('1 GiB, said or not, is never buffered', async (t) => {
  const chunk = Buffer.alloc(1 << 16, 'x');
  let sent = 0;
  const server = await serve(t, (request, response) => {
    if (request.url === '/said') response.setHeader('content-length', String(2 ** 30));
    const more = (): void => {
      while (sent < 2 ** 30 && !response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
    };
    more();
  });
  const source = fetcher(t, { maxBodyBytes: 2 ** 20 });
  for (const path of ['said', 'unsaid']) {
    sent = 0;
    const pending = source.fetch({ url: new URL(`${server.url}${path}`) }, asked());
    await failsWith(t, pending, 'too-large', /answered more than 1MiB; ask for less, or raise maxBodySize/);
    t.ok(sent < 2 ** 25, `the server got rid of ${sent} bytes before it was cut off`);
  }
});

test('what is packed small and unpacks large is refused too', async (t) => {
  const bomb = gzipSync(Buffer.alloc(2 ** 24));
  const server = await serve(t, (request, response) => {
    response.setHeader('content-encoding', request.url === '/odd' ? 'br' : 'gzip');
    if (request.url === '/cut') response.end(gzipSync('up 1\n').subarray(0, 12));
    else if (request.url === '/broken') response.end('not gzip');
    else response.end(request.url === '/bomb' ? bomb : gzipSync('up 1\n'));
  });
  const source = fetcher(t, { maxBodyBytes: 2 ** 20 });
  const get = (path: string): Promise<{ body: Buffer }> =>
    source.fetch({ url: new URL(`${server.url}${path}`) }, asked());
  t.equal((await get('fine')).body.toString(), 'up 1\n');
  await failsWith(t, get('bomb'), 'too-large', /more than 1MiB/);
  await failsWith(t, get('cut'), 'parse', /gzip is broken: Z_BUF_ERROR/);
  await failsWith(t, get('broken'), 'parse', /gzip is broken: Z_DATA_ERROR/);
  await failsWith(t, get('odd'), 'parse', /answered in br/);
});

test('redirects: to the same host when allowed, never elsewhere, not for ever', async (t) => {
  const seen: string[] = [];
  const other = await serve(t, (request, response) => {
    seen.push(`other ${request.headers.authorization}`);
    response.end('stolen');
  });
  const server = await serve(t, (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const to: Record<string, string> = {
      '/a': '/b',
      '/loop': '/loop',
      '/away': other.url,
      '/odd': 'http://[',
    };
    const location = to[request.url ?? ''];
    if (location === undefined) response.end('here');
    else response.writeHead(request.method === 'POST' ? 303 : 302, { location }).end();
  });
  const credentials = { from: 'text', text: 'secret' } as const;
  const authentication = { type: 'header', scheme: 'Bearer', credentials } as const;
  const get = (path: string, more = {}, options = {}): Promise<{ body: Buffer }> =>
    fetcher(t, { authentication, ...options }).fetch(
      { url: new URL(`${server.url}${path}`), ...more },
      asked(),
    );
  t.equal((await get('a')).body.toString(), 'here');
  t.equal((await get('a', { body: '{}' })).body.toString(), 'here');
  t.same(seen.splice(0), ['GET /a', 'GET /b', 'POST /a', 'GET /b']);
  await failsWith(
    t,
    get('away'),
    'redirect',
    /redirects elsewhere, to http:\/\/127\.0\.0\.1:\d+\/; name that page/,
  );
  await failsWith(t, get('a', {}, { followRedirects: false }), 'redirect', /followRedirects is off/);
  await failsWith(t, get('loop'), 'redirect', /more than 5 times/);
  await failsWith(t, get('odd'), 'redirect', /no URL/);
  t.notOk(
    seen.some((line) => line.startsWith('other')),
    'the other host never saw the token',
  );
});

test('nobody there; no such host', async (t) => {
  const port = await freePort();
  const get = (host: string): Promise<unknown> =>
    fetcher(t).fetch({ url: new URL(`http://${host}:${port}/m`) }, asked());
  await failsWith(t, get('127.0.0.1'), 'refused', /nothing listens there/);
  await failsWith(t, get('nowhere.invalid'), 'dns', /no such host|could not be looked up/);
});

test('a kept connection that the server closed is replaced without a word', async (t) => {
  let asks = 0;
  const server = await serveBytes(t, (socket) => {
    let first = true;
    socket.on('data', () => {
      asks++;
      if (first) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      else socket.destroy();
      first = false;
    });
  });
  const source = fetcher(t);
  const get = (): Promise<{ body: Buffer }> => source.fetch({ url: new URL(server.url) }, asked());
  await get();
  await nextTurn();
  t.equal((await get()).body.toString(), 'ok');
  t.same([asks, server.connections()], [3, 2]);
});

test(
  'TLS: only trusted names; client certificates; new files without a reload',
  needs('openssl'),
  async (t) => {
    const files = makeCertificates(tempDir(t));
    const server = await serveTls(t, { ...files }, (_, response) => void response.end('secret page'));
    const named = new URL(server.url.replace('127.0.0.1', 'localhost'));
    const file = (path: string): { from: 'file'; path: string } => ({ from: 'file', path });
    const tls = {
      ca: file(files.ca),
      cert: file(files.clientCert),
      key: file(files.clientKey),
      insecureSkipVerify: false,
    };
    const get = async (options: Partial<HttpOptions['tls']>, url = named): Promise<string> => {
      const page = await fetcher(t, { tls: { ...tls, ...options } }).fetch({ url }, asked());
      return page.body.toString();
    };
    const byAddress = new URL(server.url);
    t.equal(await get({}), 'secret page');
    t.equal(await get({ serverName: 'localhost' }, byAddress), 'secret page');
    t.equal(await get({ insecureSkipVerify: true }, byAddress), 'secret page');
    await failsWith(t, get({}, byAddress), 'tls', /certificate is for another name; use that name/);
    await failsWith(t, get({ serverName: 'other.example' }), 'tls', /another name/);
    await failsWith(t, get({ ca: undefined }), 'tls', /name its authority in caFile/);
    t.match(
      (await failure(get({ cert: undefined, key: undefined }))).message,
      /client certificate|check certFile/,
    );
    await failsWith(t, get({ ca: file('/nowhere/ca.pem') }), 'tls', /cannot read \/nowhere\/ca\.pem: ENOENT/);
    const plain = await serve(t, (_, response) => void response.end('plain'));
    await failsWith(t, get({}, new URL(plain.url.replace('http:', 'https:'))), 'tls', /TLS/);

    const source = fetcher(t, { tls });
    await source.fetch({ url: named }, asked());
    writeFileSync(files.clientCert, 'gone');
    await failsWith(t, source.fetch({ url: named }, asked()), 'tls', /certFile/);
  },
);

test('closing ends what is under way', async (t) => {
  let arrived = (): void => undefined;
  const request = new Promise<void>((resolve) => (arrived = resolve));
  const server = await serve(t, () => arrived());
  const source = new Fetcher(plainHttp, {});
  const pending = failure(source.fetch({ url: new URL(server.url) }, asked()));
  await request;
  await source.close();
  t.equal((await pending).class, 'internal');
});

test('connections are kept to so many servers; that asked longest ago is let go', async (t) => {
  const source = fetcher(t);
  const servers = [];
  for (let i = 0; i < 34; i++) servers.push(await serve(t, (_, response) => void response.end('x')));
  const [first, second, third] = servers;
  for (const { url } of servers.slice(0, 32)) await source.fetch({ url: new URL(url) }, asked());
  await source.fetch({ url: new URL(first?.url ?? '') }, asked());
  for (const { url } of servers.slice(32)) await source.fetch({ url: new URL(url) }, asked());
  await eventually(
    'the second and third are let go',
    () => (second?.open() === 0 && third?.open() === 0) || undefined,
  );
  t.ok((first?.open() ?? 0) > 0, 'the first was asked again');
  t.equal(servers.filter(({ open }) => open() === 0).length, 2);
});
