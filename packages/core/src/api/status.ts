/**
 * Failures as the API says them: a Status body with a reason that programs branch on. Every text has its place here, so
 * that kubectl and client libraries read what they know.
 */

import { isRecord } from './record.ts';
import { OutriggerError } from '../errors/index.ts';
import type { FieldError, Kind } from './schema.ts';

export interface StatusCause {
  /** A FieldErrorReason, or one of a few others such as ResourceVersionTooLarge. */
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** The plural resource; the Kind in `Invalid` alone. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string; readonly resourceVersion?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  /** The HTTP status code of a failure. */
  readonly code?: number;
}

/** What an error is about. */
export type ResourceName = Pick<Kind, 'group' | 'resource'>;
export type KindName = Pick<Kind, 'group' | 'kind' | 'version'>;

export class ApiError extends OutriggerError {
  readonly #status: Status;

  constructor(status: Status, cause?: unknown) {
    super(status.message ?? status.reason ?? `HTTP ${status.code ?? 500}`, {
      code: codeOf(status.reason),
      ...(status.details?.name === undefined ? {} : { target: status.details.name }),
      ...(cause === undefined ? {} : { cause }),
    });
    this.name = 'ApiError';
    this.#status = status;
  }

  /** HTTP status code. */
  get httpStatus(): number {
    return this.#status.code ?? 500;
  }

  /** `NotFound`, `Conflict` …; `Unknown` where the server gave none. */
  get reason(): string {
    return this.#status.reason ?? 'Unknown';
  }

  get causes(): readonly StatusCause[] {
    return this.#status.details?.causes ?? [];
  }

  /** Seconds the server asks to wait, also sent as the Retry-After header. */
  get retryAfterSeconds(): number | undefined {
    return this.#status.details?.retryAfterSeconds;
  }

  /** The body to send. */
  toStatus(): Status {
    return this.#status;
  }

  static badRequest(message: string): ApiError {
    return failure(400, 'BadRequest', message);
  }

  /** The body is JSON, but not an object of this kind: wrong types. */
  static undecodable(kind: KindName, problems: readonly FieldError[]): ApiError {
    const text = problems.map(({ field, message }) => `${field}: ${message}`).join(', ');
    return ApiError.badRequest(`${handled(kind)}: ${text}`);
  }

  /** Unknown or duplicate fields under `fieldValidation=Strict`; each problem as in a warning. */
  static strictDecoding(kind: KindName, problems: readonly string[]): ApiError {
    return ApiError.badRequest(`${handled(kind)}: strict decoding error: ${problems.join(', ')}`);
  }

  static unauthorized(): ApiError {
    return failure(401, 'Unauthorized', 'Unauthorized');
  }

  static forbidden(resource: ResourceName, name: string, why: string): ApiError {
    const target = name === '' ? qualified(resource) : `${qualified(resource)} ${JSON.stringify(name)}`;
    return failure(403, 'Forbidden', `${target} is forbidden: ${why}`, about(resource, name));
  }

  /** Creation in a namespace that is going away. */
  static namespaceTerminating(resource: ResourceName, name: string, namespace: string): ApiError {
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const causes = [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ];
    const plain = ApiError.forbidden(resource, name, why).toStatus();
    return new ApiError({ ...plain, details: { ...plain.details, causes } });
  }

  static notFound(resource: ResourceName, name: string): ApiError {
    const message = `${qualified(resource)} ${JSON.stringify(name)} not found`;
    return failure(404, 'NotFound', message, about(resource, name));
  }

  static methodNotAllowed(resource: ResourceName, action: string): ApiError {
    const message = `${action} is not supported on resources of kind ${JSON.stringify(qualified(resource))}`;
    return failure(405, 'MethodNotAllowed', message, about(resource, ''));
  }

  static notAcceptable(accepted: readonly string[]): ApiError {
    return failure(
      406,
      'NotAcceptable',
      `only the following media types are accepted: ${accepted.join(', ')}`,
    );
  }

  static alreadyExists(resource: ResourceName, name: string): ApiError {
    const message = `${qualified(resource)} ${JSON.stringify(name)} already exists`;
    return failure(409, 'AlreadyExists', message, about(resource, name));
  }

  /** Every name that was made from `generateName` was taken. */
  static generatedNameTaken(resource: ResourceName, name: string): ApiError {
    const { message } = ApiError.alreadyExists(resource, name);
    return failure(
      409,
      'AlreadyExists',
      `${message}, the server was not able to generate a unique name for the object`,
      {
        ...about(resource, name),
        retryAfterSeconds: 1,
      },
    );
  }

  static conflict(resource: ResourceName, name: string, why: string = modified): ApiError {
    const target = `${qualified(resource)} ${JSON.stringify(name)}`;
    return failure(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${target}: ${why}`,
      about(resource, name),
    );
  }

  /** A revision that history does not reach back to; `continueToken` allows an inconsistent continuation of a list. */
  static expired(message: string, continueToken?: string): ApiError {
    const status = failure(410, 'Expired', message).toStatus();
    return new ApiError(
      continueToken === undefined ? status : { ...status, metadata: { continue: continueToken } },
    );
  }

  static tooLarge(why: string): ApiError {
    return failure(413, 'RequestEntityTooLarge', `Request entity is too large: ${why}`);
  }

  static unsupportedMediaType(accepted: readonly string[]): ApiError {
    return failure(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    );
  }

  static invalid(kind: Pick<Kind, 'group' | 'kind'>, name: string, errors: readonly FieldError[]): ApiError {
    const type = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
    const texts = [...new Set(errors.map(({ field, message }) => `${field}: ${message}`))];
    const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
    return failure(422, 'Invalid', `${type} ${JSON.stringify(name)} is invalid: ${list}`, {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
    });
  }

  static tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
    return failure(429, 'TooManyRequests', message, { retryAfterSeconds });
  }

  static internal(cause: unknown): ApiError {
    const text = cause instanceof Error ? cause.message : String(cause);
    const message = `Internal error occurred: ${text}`;
    return new ApiError(
      failure(500, 'InternalError', message, { causes: [{ message: text }] }).toStatus(),
      cause,
    );
  }

  /** The server cannot do it now, though the request is right: a full disk, a store that is gone. */
  static serviceUnavailable(message: string, retryAfterSeconds?: number): ApiError {
    return failure(
      503,
      'ServiceUnavailable',
      message,
      retryAfterSeconds === undefined ? undefined : { retryAfterSeconds },
    );
  }

  static timeout(message: string, retryAfterSeconds: number): ApiError {
    return failure(504, 'Timeout', `Timeout: ${message}`, { retryAfterSeconds });
  }

  /** A read at a revision that has not been reached in time. */
  static resourceVersionTooLarge(asked: string, current: string): ApiError {
    return failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
  }

  /** What a client throws: the Status in a response body, or the best that can be said of a body that is none. */
  static fromStatus(body: unknown, httpStatus: number): ApiError {
    if (isFailureStatus(body)) return new ApiError(cleaned(body, httpStatus));
    const text = typeof body === 'string' ? body.trim().slice(0, 256) : '';
    const message = text === '' ? `the server answered HTTP ${httpStatus} without a reason` : text;
    return failure(httpStatus, reasonOf.get(httpStatus) ?? 'Unknown', message);
  }
}

/** The answer to a deletion that is complete. */
export function deletedStatus(resource: ResourceName, name: string, uid: string | undefined): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...about(resource, name), ...(uid === undefined ? {} : { uid }) },
  };
}

const modified =
  'the object has been modified; please apply your changes to the latest version and try again';

/** For servers and proxies between that answer without a Status. */
const reasonOf: ReadonlyMap<number, string> = new Map([
  [400, 'BadRequest'],
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [405, 'MethodNotAllowed'],
  [406, 'NotAcceptable'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [413, 'RequestEntityTooLarge'],
  [415, 'UnsupportedMediaType'],
  [422, 'Invalid'],
  [429, 'TooManyRequests'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
  [504, 'Timeout'],
]);

function failure(code: number, reason: string, message: string, details?: StatusDetails): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  });
}

function about(resource: ResourceName, name: string): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.resource,
  };
}

function qualified({ group, resource }: ResourceName): string {
  return group === '' ? resource : `${resource}.${group}`;
}

function handled({ group, version, kind }: KindName): string {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return `${kind} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${kind}`;
}

/** `AlreadyExists` → `API_ALREADY_EXISTS`: 410 has one code whatever the age of the server. */
function codeOf(reason: string | undefined): string {
  if (reason === undefined || !/^[A-Za-z]+$/.test(reason)) return 'API_UNKNOWN';
  if (reason === 'Gone') return 'API_EXPIRED';
  return `API_${reason.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`;
}

function isFailureStatus(body: unknown): body is Record<string, unknown> {
  return isRecord(body) && body['kind'] === 'Status' && body['status'] !== 'Success';
}

/** Only what has the right type, so that a strange server cannot make callers fail in strange places. */
function cleaned(body: Record<string, unknown>, httpStatus: number): Status {
  const { message, reason, code, details } = body;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: isRecord(body['metadata'])
      ? onlyStrings(body['metadata'], ['continue', 'resourceVersion'])
      : {},
    status: 'Failure',
    ...(typeof message === 'string' ? { message } : {}),
    ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
    ...(isRecord(details) ? { details: cleanedDetails(details) } : {}),
    code: typeof code === 'number' && code > 0 ? code : httpStatus,
  };
}

function cleanedDetails(details: Record<string, unknown>): StatusDetails {
  const { causes, retryAfterSeconds } = details;
  return {
    ...onlyStrings(details, ['name', 'group', 'kind', 'uid']),
    ...(Array.isArray(causes)
      ? { causes: causes.filter(isRecord).map((cause) => onlyStrings(cause, ['reason', 'message', 'field'])) }
      : {}),
    ...(typeof retryAfterSeconds === 'number' ? { retryAfterSeconds } : {}),
  };
}

function onlyStrings(from: Record<string, unknown>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (typeof from[name] === 'string' ? [[name, from[name]] as const] : [])),
  );
}
