/** DeleteOptions, from the body and the query: what is given in both counts from the body. */

import type { FieldError } from '@outrigger/core/api';
import {
  ApiError,
  boolean,
  checkStructure,
  integer,
  invalid,
  list,
  notSupported,
  object,
  string,
  typeErrors,
} from '@outrigger/core/api';
import type { DeleteOptions } from '../registry/write.ts';
import { decodeBody } from './body.ts';
import type { ApiRequest } from './http.ts';
import { headerOf } from './http.ts';
import { dryRunOf, invalidOptions } from './parameters.ts';

const schema = object({
  apiVersion: string(),
  kind: string(),
  gracePeriodSeconds: integer(),
  preconditions: object({ uid: string(), resourceVersion: string() }),
  propagationPolicy: string(),
  orphanDependents: boolean(),
  dryRun: list(string()),
});

interface Body {
  readonly kind?: string | null;
  readonly gracePeriodSeconds?: number | null;
  readonly preconditions?: { readonly uid?: string | null; readonly resourceVersion?: string | null } | null;
  readonly propagationPolicy?: string | null;
  readonly dryRun?: readonly (string | null)[] | null;
}

const propagationPolicies: readonly string[] = ['Background', 'Foreground', 'Orphan'];

/** Propagation is accepted and has no effect: owners' controllers remove what they made. */
export async function deleteOptions(request: ApiRequest): Promise<DeleteOptions> {
  const bytes = await request.body();
  const body =
    bytes.length === 0 ? {} : bodyOf((await decodeBody(bytes, headerOf(request, 'content-type'))).value);
  const { query } = request;
  const problems: FieldError[] = [];
  const inBody = (body.dryRun ?? []).map((value) => value ?? '');
  const dryRun = dryRunOf(inBody.length > 0 ? inBody : query.getAll('dryRun'), problems);
  const gracePeriodSeconds = graceOf(body.gracePeriodSeconds ?? query.get('gracePeriodSeconds'), problems);
  const policy = body.propagationPolicy ?? query.get('propagationPolicy') ?? '';
  if (policy !== '' && !propagationPolicies.includes(policy)) {
    problems.push(notSupported('propagationPolicy', policy, propagationPolicies));
  }
  if (problems.length > 0) throw invalidOptions('DeleteOptions', problems);
  return {
    dryRun,
    gracePeriodSeconds,
    uid: body.preconditions?.uid || undefined,
    resourceVersion: body.preconditions?.resourceVersion || undefined,
  };
}

/** A deletion is not taken back: a dry run or a precondition asked for in a wrong form must not count as none. */
function bodyOf(value: unknown): Body {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw ApiError.badRequest('the body of a deletion must be DeleteOptions');
  }
  const wrong = typeErrors(checkStructure(schema, value));
  if (wrong.length > 0)
    throw ApiError.undecodable({ group: '', version: 'v1', kind: 'DeleteOptions' }, wrong);
  const body: Body = value;
  const kind = body.kind ?? '';
  if (kind !== '' && kind !== 'DeleteOptions') {
    throw ApiError.badRequest(`the body of a deletion must be DeleteOptions, not ${JSON.stringify(kind)}`);
  }
  return body;
}

function graceOf(value: unknown, problems: FieldError[]): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const seconds = Number(value);
  if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds;
  problems.push(invalid('gracePeriodSeconds', value, 'must be a number of seconds, 0 or more'));
  return undefined;
}
