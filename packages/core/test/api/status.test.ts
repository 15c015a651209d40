import {
  ApiError,
  checkStructure,
  deletedStatus,
  endpointSliceKind,
  serviceKind,
  trafficPolicyKind,
  typeErrors,
  validateObject,
} from '@outrigger/core/api';
import { test } from 'tap';
import { admitted, service } from './fixtures.ts';

interface Golden {
  readonly error: ApiError;
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: object;
}

const golden: Record<string, Golden> = {
  badRequest: { error: ApiError.badRequest('no'), code: 400, reason: 'BadRequest', message: 'no' },
  strictDecoding: {
    error: ApiError.strictDecoding(trafficPolicyKind, [
      'unknown field "spec.bogus"',
      'duplicate field "spec.x"',
    ]),
    code: 400,
    reason: 'BadRequest',
    message:
      'TrafficPolicy in version "outrigger.dev/v1alpha1" cannot be handled as a TrafficPolicy: strict decoding error: ' +
      'unknown field "spec.bogus", duplicate field "spec.x"',
  },
  unauthorized: {
    error: ApiError.unauthorized(),
    code: 401,
    reason: 'Unauthorized',
    message: 'Unauthorized',
  },
  forbidden: {
    error: ApiError.forbidden(serviceKind, 'x', 'User "u" cannot get resource "services" in API group ""'),
    code: 403,
    reason: 'Forbidden',
    message: 'services "x" is forbidden: User "u" cannot get resource "services" in API group ""',
    details: { name: 'x', kind: 'services' },
  },
  'forbidden without a name': {
    error: ApiError.forbidden(endpointSliceKind, '', 'no'),
    code: 403,
    reason: 'Forbidden',
    message: 'endpointslices.discovery.k8s.io is forbidden: no',
    details: { group: 'discovery.k8s.io', kind: 'endpointslices' },
  },
  namespaceTerminating: {
    error: ApiError.namespaceTerminating(serviceKind, 'x', 'n'),
    code: 403,
    reason: 'Forbidden',
    message:
      'services "x" is forbidden: unable to create new content in namespace n because it is being terminated',
    details: {
      name: 'x',
      kind: 'services',
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: 'namespace n is being terminated',
          field: 'metadata.namespace',
        },
      ],
    },
  },
  notFound: {
    error: ApiError.notFound(serviceKind, 'x'),
    code: 404,
    reason: 'NotFound',
    message: 'services "x" not found',
    details: { name: 'x', kind: 'services' },
  },
  'notFound of an own kind': {
    error: ApiError.notFound(trafficPolicyKind, 'x'),
    code: 404,
    reason: 'NotFound',
    message: 'trafficpolicies.outrigger.dev "x" not found',
    details: { name: 'x', group: 'outrigger.dev', kind: 'trafficpolicies' },
  },
  methodNotAllowed: {
    error: ApiError.methodNotAllowed(serviceKind, 'deletecollection'),
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'deletecollection is not supported on resources of kind "services"',
    details: { kind: 'services' },
  },
  notAcceptable: {
    error: ApiError.notAcceptable(['application/json', 'application/yaml']),
    code: 406,
    reason: 'NotAcceptable',
    message: 'only the following media types are accepted: application/json, application/yaml',
  },
  alreadyExists: {
    error: ApiError.alreadyExists(serviceKind, 'x'),
    code: 409,
    reason: 'AlreadyExists',
    message: 'services "x" already exists',
    details: { name: 'x', kind: 'services' },
  },
  generatedNameTaken: {
    error: ApiError.generatedNameTaken(serviceKind, 'x'),
    code: 409,
    reason: 'AlreadyExists',
    message: 'services "x" already exists, the server was not able to generate a unique name for the object',
    details: { name: 'x', kind: 'services', retryAfterSeconds: 1 },
  },
  conflict: {
    error: ApiError.conflict(serviceKind, 'x'),
    code: 409,
    reason: 'Conflict',
    message:
      'Operation cannot be fulfilled on services "x": the object has been modified; please apply your changes to the ' +
      'latest version and try again',
    details: { name: 'x', kind: 'services' },
  },
  expired: {
    error: ApiError.expired('The resourceVersion for the provided list is too old.'),
    code: 410,
    reason: 'Expired',
    message: 'The resourceVersion for the provided list is too old.',
  },
  tooLarge: {
    error: ApiError.tooLarge('limit is 3145728'),
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: 'Request entity is too large: limit is 3145728',
  },
  unsupportedMediaType: {
    error: ApiError.unsupportedMediaType(['application/json']),
    code: 415,
    reason: 'UnsupportedMediaType',
    message:
      'the body of the request was in an unknown format - accepted media types include: application/json',
  },
  tooManyRequests: {
    error: ApiError.tooManyRequests('slow down', 1),
    code: 429,
    reason: 'TooManyRequests',
    message: 'slow down',
    details: { retryAfterSeconds: 1 },
  },
  internal: {
    error: ApiError.internal(new Error('boom')),
    code: 500,
    reason: 'InternalError',
    message: 'Internal error occurred: boom',
    details: { causes: [{ message: 'boom' }] },
  },
  serviceUnavailable: {
    error: ApiError.serviceUnavailable('the disk is full', 5),
    code: 503,
    reason: 'ServiceUnavailable',
    message: 'the disk is full',
    details: { retryAfterSeconds: 5 },
  },
  timeout: {
    error: ApiError.timeout('too slow', 2),
    code: 504,
    reason: 'Timeout',
    message: 'Timeout: too slow',
    details: { retryAfterSeconds: 2 },
  },
  resourceVersionTooLarge: {
    error: ApiError.resourceVersionTooLarge('10', '5'),
    code: 504,
    reason: 'Timeout',
    message: 'Timeout: Too large resource version: 10, current: 5',
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  },
};

for (const [name, { error, code, reason, message, details }] of Object.entries(golden)) {
  test(`${name} is the Status clients know`, (t) => {
    t.strictSame(error.toStatus(), {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    });
    t.equal(error.message, message);
    t.equal(error.httpStatus, code);
    t.same(
      ApiError.fromStatus(JSON.parse(JSON.stringify(error.toStatus())), 599).toStatus(),
      error.toStatus(),
    );
    t.end();
  });
}

test('an invalid object lists one cause per problem', (t) => {
  const object = admitted(serviceKind, service({ ports: [{ port: 0 }, { port: 80 }] }));
  const status = ApiError.invalid(serviceKind, 'web', validateObject(serviceKind, object)).toStatus();
  t.equal(status.code, 422);
  t.equal(status.reason, 'Invalid');
  t.equal(
    status.message,
    'Service "web" is invalid: [spec.ports[0].name: Required value, spec.ports[0].port: Invalid value: 0: must be ' +
      'between 1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, ' +
      'inclusive, spec.ports[1].name: Required value]',
  );
  t.same(status.details?.causes?.[1], {
    reason: 'FieldValueInvalid',
    message: 'Invalid value: 0: must be between 1 and 65535, inclusive',
    field: 'spec.ports[0].port',
  });
  t.match(status.details, { name: 'web', kind: 'Service' });
  t.end();
});

test('one problem stands without brackets, and an own kind names its group', (t) => {
  const error = ApiError.invalid(trafficPolicyKind, 'p', [
    { reason: 'FieldValueRequired', field: 'spec', message: 'Required value' },
  ]);
  t.equal(error.message, 'TrafficPolicy.outrigger.dev "p" is invalid: spec: Required value');
  t.match(error.toStatus().details, { name: 'p', group: 'outrigger.dev', kind: 'TrafficPolicy' });
  t.end();
});

test('JSON of wrong types is a bad request that names the fields', (t) => {
  const structure = checkStructure(serviceKind.schema, service({ ports: [{ port: 'http' }], type: 1 }));
  const error = ApiError.undecodable(serviceKind, typeErrors(structure));
  t.equal(error.httpStatus, 400);
  t.equal(
    error.message,
    'Service in version "v1" cannot be handled as a Service: spec.ports[0].port: Invalid value: "http": must be of ' +
      'type int32, not string, spec.type: Invalid value: 1: must be of type string, not number',
  );
  t.end();
});

test('callers branch on the code', (t) => {
  t.equal(ApiError.notFound(serviceKind, 'x').code, 'API_NOT_FOUND');
  t.equal(ApiError.notFound(serviceKind, 'x').target, 'x');
  t.equal(ApiError.alreadyExists(serviceKind, 'x').code, 'API_ALREADY_EXISTS');
  t.equal(ApiError.expired('old').code, 'API_EXPIRED');
  t.equal(ApiError.fromStatus('', 410).code, 'API_EXPIRED', 'old servers say Gone');
  t.equal(ApiError.tooManyRequests('', 1).retryAfterSeconds, 1);
  t.equal(ApiError.resourceVersionTooLarge('2', '1').causes[0]?.reason, 'ResourceVersionTooLarge');
  const cause = new Error('boom');
  t.equal(ApiError.internal(cause).cause, cause);
  t.equal(ApiError.internal('text').message, 'Internal error occurred: text');
  t.end();
});

test('an expired list can offer an inconsistent continuation', (t) => {
  t.same(ApiError.expired('old', 'token').toStatus().metadata, { continue: 'token' });
  t.end();
});

test('answers that are no Status still make an error that says something', (t) => {
  t.match(ApiError.fromStatus('upstream is down\n', 503), {
    message: 'upstream is down',
    reason: 'ServiceUnavailable',
    httpStatus: 503,
  });
  t.match(ApiError.fromStatus(undefined, 418), {
    message: 'the server answered HTTP 418 without a reason',
    reason: 'Unknown',
    code: 'API_UNKNOWN',
  });
  t.equal(ApiError.fromStatus({ kind: 'Status', status: 'Success' }, 500).httpStatus, 500);
  t.equal(ApiError.fromStatus('x'.repeat(10_000), 500).message.length, 256);
  t.end();
});

test('a strange Status loses what has the wrong type', (t) => {
  const body = {
    kind: 'Status',
    status: 'Failure',
    message: 1,
    reason: 'Weird Reason!',
    metadata: { continue: 3 },
    details: { name: {}, causes: [null, { reason: 1, field: 'f' }], retryAfterSeconds: 'soon' },
    code: 'x',
  };
  const error = ApiError.fromStatus(body, 409);
  t.same(error.toStatus(), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason: 'Weird Reason!',
    details: { causes: [{ field: 'f' }] },
    code: 409,
  });
  t.equal(error.code, 'API_UNKNOWN');
  t.equal(error.retryAfterSeconds, undefined);
  t.end();
});

test('a complete deletion is answered with what was deleted', (t) => {
  t.same(deletedStatus(trafficPolicyKind, 'p1', 'u'), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'p1', group: 'outrigger.dev', kind: 'trafficpolicies', uid: 'u' },
  });
  t.end();
});
