/** DeleteOptions, from the body and the query: what is given in both counts from the body. */

import type { FieldError } from '@outrigger/core/api';
import { ApiError, invalid } from '@outrigger/core/api';
import type { DeleteOptions } from '../registry/write.ts';
import { decodeBody } from './body.ts';
import type { ApiRequest } from './http.ts';
import { headerOf } from './http.ts';
import { dryRunOf, invalidOptions } from './parameters.ts';

interface Body {
  readonly gracePeriodSeconds?: unknown;
  readonly preconditions?: { readonly uid?: unknown; readonly resourceVersion?: unknown } | null;
  readonly dryRun?: unknown;
}

/** Propagation is accepted and has no effect: owners' controllers remove what they made. */
export async function deleteOptions(request: ApiRequest): Promise<DeleteOptions> {
  const bytes = await request.body();
  const body =
    bytes.length === 0 ? {} : bodyOf((await decodeBody(bytes, headerOf(request, 'content-type'))).value);
  const problems: FieldError[] = [];
  const inBody = Array.isArray(body.dryRun) ? body.dryRun.map(String) : [];
  const dryRun = dryRunOf(inBody.length > 0 ? inBody : request.query.getAll('dryRun'), problems);
  const gracePeriodSeconds = graceOf(
    body.gracePeriodSeconds ?? request.query.get('gracePeriodSeconds'),
    problems,
  );
  if (problems.length > 0) throw invalidOptions('DeleteOptions', problems);
  return {
    dryRun,
    gracePeriodSeconds,
    uid: textOf(body.preconditions?.uid),
    resourceVersion: textOf(body.preconditions?.resourceVersion),
  };
}

function bodyOf(value: unknown): Body {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw ApiError.badRequest('the body of a deletion must be DeleteOptions');
  }
  return value;
}

function graceOf(value: unknown, problems: FieldError[]): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const seconds = Number(value);
  if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds;
  problems.push(invalid('gracePeriodSeconds', value, 'must be a number of seconds, 0 or more'));
  return undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
