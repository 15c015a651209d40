import { test } from 'tap';
import { parseDocument } from '@outrigger/core/config';
import { extract } from '../../src/json/extract.ts';
import { readJsonModules, readModulesOfObject } from '../../src/json/modules.ts';

const file = `
modules:
  default:
    headers:
      X-Dummy: my-test-header
      Number: 1
    metrics:
    - name: shop_orders
      path: '{ .counter }'
      help: All orders
      valuetype: counter
      labels:
        environment: beta
        location: 'planet-{ .location }'
    - name: shop_value
      type: object
      help: Of each shop
      path: '{ .values[?(@.state == "ACTIVE")] }'
      labels:
        environment: beta
        id: '{ .id }'
      values:
        active: 1
        count: '{ .count }'
        open: '{ .some_boolean }'
      epochTimestamp: '{ .ts }'
    - name: gone
      path: '{ .gone }'
      allow_missing_key: true
  animals:
    metrics:
    - name: animal
      type: object
      path: '{ [*] }'
      labels:
        name: '{ .noun }'
      values:
        population: '{ .population }'
  standard:
    metrics:
    - name: big
      path: $.values[?@.count > 2 && @.state == 'ACTIVE'].count
      valuetype: gauge
`;

const shop = {
  counter: 1234,
  location: 'mars',
  values: [
    { id: 'id-A', count: 1, some_boolean: true, state: 'ACTIVE' },
    { id: 'id-B', count: 2, some_boolean: true, state: 'INACTIVE' },
    { id: 'id-C', count: 3, some_boolean: false, state: 'ACTIVE' },
  ],
};

async function read(document: unknown, data: unknown, module = 'default'): Promise<unknown> {
  const { families, dropped } = await extract(readJsonModules(document).get(module)?.metrics ?? [], data);
  return {
    families: families.flatMap(({ name, type, samples }) =>
      samples.map(
        ({ labels, value }) => `${name} ${type} {${labels.map((pair) => pair.join('=')).join(',')}} ${value}`,
      ),
    ),
    dropped,
  };
}

/** One metric of type value. */
const one = (metric: object, data: unknown): Promise<unknown> =>
  read({ modules: { default: { metrics: [{ name: 'm', ...metric }] } } }, data);

test("json_exporter's own kinds of modules", async (t) => {
  t.same(await read(await parseDocument(file, 'modules.yml'), shop), {
    families: [
      'shop_orders counter {environment=beta,location=planet-mars} 1234',
      'shop_value_active unknown {environment=beta,id=id-A} 1',
      'shop_value_active unknown {environment=beta,id=id-C} 1',
      'shop_value_count unknown {environment=beta,id=id-A} 1',
      'shop_value_count unknown {environment=beta,id=id-C} 3',
      'shop_value_open unknown {environment=beta,id=id-A} 1',
      'shop_value_open unknown {environment=beta,id=id-C} 0',
    ],
    dropped: {},
  });
  const animals = [
    { noun: 'lion', population: 123 },
    { noun: 'deer', population: 456.5 },
  ];
  t.same(await read(await parseDocument(file, 'modules.yml'), animals, 'animals'), {
    families: ['animal_population unknown {name=lion} 123', 'animal_population unknown {name=deer} 456.5'],
    dropped: {},
  });
  t.same(await read(await parseDocument(file, 'modules.yml'), shop, 'standard'), {
    families: ['big gauge {} 3'],
    dropped: {},
  });
});

test('numbers out of what JSON and people write', async (t) => {
  const values = [
    1,
    -0.5,
    1e300,
    '12',
    ' 12',
    '1e3',
    '+Inf',
    'NaN',
    true,
    false,
    'true',
    'F',
    null,
    'yes',
    {},
    [1],
    '',
  ];
  const data = { values: values.map((value, id) => ({ id, value })) };
  const metric = { type: 'object', path: '{.values[*]}', labels: { id: '{.id}' }, values: { v: '{.value}' } };
  t.same(await one(metric, data), {
    families: [
      ...[
        '{id=0} 1',
        '{id=1} -0.5',
        '{id=2} 1e+300',
        '{id=3} 12',
        '{id=5} 1000',
        '{id=6} Infinity',
        '{id=7} NaN',
      ],
      ...['{id=8} 1', '{id=9} 0', '{id=10} 1', '{id=11} 0', '{id=12} NaN'],
    ].map((line) => `m_v unknown ${line}`),
    dropped: { 'not-a-number': 4, missing: 1 },
  });
});

test('duplicates are counted, the first stays, and the rest of the page too', async (t) => {
  const metric = {
    type: 'object',
    path: '$.values[*]',
    labels: { state: '{.state}' },
    values: { n: '{.count}' },
  };
  t.same(await one(metric, shop), {
    families: ['m_n unknown {state=ACTIVE} 1', 'm_n unknown {state=INACTIVE} 2'],
    dropped: { duplicate: 1 },
  });
});

test('what is missing is counted unless it may be; a label that is missing is left out', async (t) => {
  t.same(await one({ path: '{.a.b}' }, { a: {} }), { families: [], dropped: { missing: 1 } });
  t.same(await one({ path: '{.a.b}', allow_missing_key: true }, { a: {} }), { families: [], dropped: {} });
  t.same(await one({ path: '{.a}', labels: { x: '{.b}', y: '{.c}' } }, { a: 1, c: null }), {
    families: ['m unknown {} 1'],
    dropped: {},
  });
  const objects = { type: 'object', path: '{.list[*]}', values: { v: '{.v}' } };
  t.same(await one(objects, {}), { families: [], dropped: { missing: 1 } });
  t.same(await one(objects, { list: [] }), { families: [], dropped: {} });
  t.same(await one(objects, { list: [{ v: 1 }, {}, 3] }), {
    families: ['m_v unknown {} 1'],
    dropped: { missing: 2 },
  });
  t.same(await one({ path: '{.a[*]}' }, { a: [1, 2] }), { families: [], dropped: { 'not-a-number': 1 } });
});

test('labels of numbers are whole numbers, of objects JSON', async (t) => {
  t.same(
    await one({ path: '{.a}', labels: { id: '{.id}', o: '{.o}' } }, { a: 1, id: 12345678, o: { x: [1] } }),
    {
      families: ['m unknown {id=12345678,o={"x":[1]}} 1'],
      dropped: {},
    },
  );
});

test('how a document is asked for', (t) => {
  const module = readJsonModules({
    modules: {
      m: {
        headers: { 'X-A': 'b' },
        body: { content: '{"q":1}', templatize: true },
        valid_status_codes: [200, 503],
        http_client_config: {
          basic_auth: { username: 'u', password_file: '/secret' },
          tls_config: { ca_file: '/ca', insecure_skip_verify: true, server_name: 's', min_version: 'TLS13' },
          follow_redirects: false,
          enable_http2: true,
          http_headers: { 'X-C': { values: ['d'] } },
        },
      },
    },
  }).get('m');
  t.match(module, {
    body: '{"q":1}',
    http: {
      headers: { accept: 'application/json', 'x-a': 'b', 'x-c': 'd' },
      authentication: { type: 'basic', username: 'u', password: { from: 'file', path: '/secret' } },
      tls: {
        ca: { from: 'file', path: '/ca' },
        insecureSkipVerify: true,
        serverName: 's',
        minVersion: 'TLSv1.3',
      },
      followRedirects: false,
    },
  });
  t.same(
    [200, 204, 503].map((status) => module?.validStatus?.(status)),
    [true, false, true],
  );
  const client = (config: object): unknown =>
    readJsonModules({ modules: { m: { http_client_config: config } } }).get('m')?.http.authentication;
  t.same(client({ bearer_token: 't' }), {
    type: 'header',
    scheme: 'Bearer',
    credentials: { from: 'text', text: 't' },
  });
  t.same(client({ authorization: { type: 'Token', credentials_file: '/t' } }), {
    type: 'header',
    scheme: 'Token',
    credentials: { from: 'file', path: '/t' },
  });
  t.same(client({ authorization: {} }), { type: 'none' });
  t.end();
});

test('what is wrong or cannot be had is refused where it stands', (t) => {
  const refused = (module: object, message: RegExp): void =>
    void t.throws(() => readJsonModules({ modules: { m: module } }), { code: 'CONFIG_INVALID', message });
  const metric = (given: object): object => ({ metrics: [{ name: 'a', path: '{.a}', ...given }] });
  refused({ metric: [] }, /modules\[m\]\.metric: got a field, want no such field/);
  refused(metric({ type: 'list' }), /modules\[m\]\.metrics\[0\]\.type: got "list"/);
  refused({ metrics: [{ path: '{.a}' }] }, /modules\[m\]\.metrics\[0\]\.name: got nothing/);
  refused(metric({ path: '.a' }), /metrics\[0\]\.path: there is no path in it/);
  refused(metric({ path: '{.a' }), /metrics\[0\]\.path: "\{\.a": want/);
  refused(metric({ labels: { x: '{' } }), /metrics\[0\]\.labels\[x\]/);
  refused(metric({ engine: 'cel' }), /CEL is not supported/);
  refused(metric({ epochTimestamp: '{' }), /epochTimestamp/);
  refused(
    {
      metrics: [
        { name: 'a', path: '$.a' },
        { name: 'a', path: '$.a', valuetype: 'gauge' },
      ],
    },
    /two value types/,
  );
  refused({ body: { content: '{{ .x }}', templatize: true } }, /Go templates are not supported/);
  refused({ http_client_config: { oauth2: {} } }, /oauth2\.token_url: oauth2 needs the URL/);
  refused({ http_client_config: { proxy_url: 'http://p' } }, /proxy_url is not supported/);
  refused({ http_client_config: { bearer_token: 'x', basic_auth: {} } }, /more than one of basic_auth/);
  refused({ valid_status_codes: ['x'] }, /valid_status_codes\[0\]/);
  t.throws(() => readJsonModules({ module: {} }), { message: /module: got a field/ });
  t.throws(() => readJsonModules('text'), { code: 'CONFIG_INVALID' });
  t.equal(readJsonModules({}).size, 0);
  t.same(readJsonModules({ modules: { m: { body: { content: '{{x}}' } } } }).get('m')?.body, '{{x}}');
  t.end();
});

test('in an object of the API secrets are named, not written', (t) => {
  const read = (config: object): unknown => readModulesOfObject({ m: { http_client_config: config } });
  const secrets = [
    { basic_auth: { password: 's' } },
    { authorization: { credentials: 's' } },
    { bearer_token: 's' },
    { oauth2: { token_url: 'http://t/', client_secret: 's' } },
    { tls_config: { key: 's' } },
    { http_headers: { 'X-Key': { secrets: ['s'] } } },
  ];
  for (const config of secrets) {
    t.throws(() => read(config), { code: 'CONFIG_INVALID', message: /may not stand in the document/ });
    t.doesNotThrow(
      () => readJsonModules({ modules: { m: { http_client_config: config } } }),
      'in a file they may',
    );
  }
  t.doesNotThrow(() => read({ basic_auth: { username: 'u', password_file: '/s' } }));
  t.throws(() => readModulesOfObject({ m: { nope: 1 } }), { message: /modules\[m\]\.nope: got a field/ });
  t.end();
});
