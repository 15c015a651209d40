/** Query parameters of the API, checked as the published server checks them. Pure. */

import type { FieldError } from '@outrigger/core/api';
import { ApiError, forbidden, invalid, notSupported } from '@outrigger/core/api';
import { isTrue } from './route.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';
export type OptionsKind =
  'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions' | 'ListOptions';

export interface WriteParameters {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
}

export interface ListParameters {
  /** 0: no limit. */
  readonly limit: number;
  readonly continue: string;
  /** Empty: the newest state. */
  readonly resourceVersion: string;
  readonly match: '' | 'NotOlderThan' | 'Exact';
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

export interface WatchParameters extends ListParameters {
  readonly bookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  /** Undefined: the server chooses. */
  readonly timeoutSeconds: number | undefined;
}

export function writeParameters(query: URLSearchParams, kind: OptionsKind): WriteParameters {
  const fieldValidation = query.get('fieldValidation') || 'Warn';
  const problems: FieldError[] = [];
  if (!isFieldValidation(fieldValidation)) {
    problems.push(notSupported('fieldValidation', fieldValidation, ['', ...fieldValidations]));
  }
  const dryRun = dryRunOf(query.getAll('dryRun'), problems);
  if (problems.length > 0) throw invalidOptions(kind, problems);
  return { dryRun, fieldValidation: fieldValidation as FieldValidation };
}

/** `values` as in the query or in DeleteOptions. */
export function dryRunOf(values: readonly string[], problems: FieldError[]): boolean {
  const given = values.filter((value) => value !== '');
  const wrong = given.filter((value) => value !== 'All');
  if (wrong.length > 0) problems.push(notSupported('dryRun', wrong.join(','), ['All']));
  return given.length > 0;
}

export function listParameters(query: URLSearchParams): ListParameters {
  const parameters = commonParameters(query);
  const problems = matchProblems(parameters);
  if (query.get('sendInitialEvents') !== null) {
    problems.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  if (problems.length > 0) throw invalidOptions('ListOptions', problems);
  return parameters;
}

export function watchParameters(query: URLSearchParams): WatchParameters {
  const parameters = commonParameters(query);
  const initial = query.get('sendInitialEvents');
  const sendInitialEvents = initial === null ? undefined : isTrue(initial);
  const problems = initialEventsProblems(sendInitialEvents, parameters.match);
  if (problems.length > 0) throw invalidOptions('ListOptions', problems);
  return {
    ...parameters,
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents,
    timeoutSeconds: integerOf(query, 'timeoutSeconds'),
  };
}

export function invalidOptions(kind: OptionsKind, problems: readonly FieldError[]): ApiError {
  return ApiError.invalid({ group: 'meta.k8s.io', kind }, '', problems);
}

/** A revision a client names. Throws 400 where it is none. */
export function parseRevision(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw ApiError.badRequest(
    `invalid resource version ${JSON.stringify(text)}: it must be a decimal number as the server gave it`,
  );
}

const fieldValidations: readonly string[] = ['Ignore', 'Warn', 'Strict'];

function isFieldValidation(value: string): value is FieldValidation {
  return fieldValidations.includes(value);
}

function commonParameters(query: URLSearchParams): ListParameters {
  const match = query.get('resourceVersionMatch') ?? '';
  if (match !== '' && match !== 'NotOlderThan' && match !== 'Exact') {
    throw invalidOptions('ListOptions', [
      notSupported('resourceVersionMatch', match, ['', 'Exact', 'NotOlderThan']),
    ]);
  }
  const limit = integerOf(query, 'limit') ?? 0;
  if (limit < 0)
    throw invalidOptions('ListOptions', [invalid('limit', limit, 'must be greater than or equal to 0')]);
  return {
    limit,
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    match,
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
  };
}

function matchProblems({ match, resourceVersion, continue: token }: ListParameters): FieldError[] {
  if (match === '') return [];
  const field = 'resourceVersionMatch';
  const problems: FieldError[] = [];
  if (resourceVersion === '')
    problems.push(forbidden(field, `${field} is forbidden unless resourceVersion is provided`));
  if (token !== '') problems.push(forbidden(field, `${field} is forbidden when continue is provided`));
  if (match === 'Exact' && resourceVersion === '0') {
    problems.push(forbidden(field, `${field} "exact" is forbidden for resourceVersion "0"`));
  }
  return problems;
}

function initialEventsProblems(sendInitialEvents: boolean | undefined, match: string): FieldError[] {
  const field = 'resourceVersionMatch';
  if (sendInitialEvents === undefined) {
    if (match === '') return [];
    return [forbidden(field, `${field} is forbidden for watch unless sendInitialEvents is provided`)];
  }
  if (match === 'NotOlderThan') return [];
  return [forbidden(field, `sendInitialEvents requires setting ${field} to NotOlderThan`)];
}

function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw ApiError.badRequest(`${name}: ${JSON.stringify(text)} is not an integer`);
}
