/** Jolokia's protocol: bulk requests in one POST, their answers in the same order. */

import { isRecord } from '../jsonpath/record.ts';

export type JolokiaRequest =
  { readonly type: 'search'; readonly mbean: string } | { readonly type: 'read'; readonly mbean: string };

export interface JolokiaAnswer {
  readonly status: number;
  readonly value: unknown;
  readonly error: string;
}

export type Attributes = Readonly<Record<string, unknown>>;

/**
 * `ignoreErrors`: an attribute that cannot be read costs itself alone. Not `canonicalNaming`: the order of properties
 * is that of the bean, because the first of them is part of the default name.
 */
export function bulkRequest(requests: readonly JolokiaRequest[]): string {
  const config = { ignoreErrors: true, canonicalNaming: false, serializeException: false };
  return JSON.stringify(requests.map((request) => ({ ...request, config })));
}

/** Undefined for what is no bulk answer of so many parts. */
export function bulkAnswers(document: unknown, count: number): JolokiaAnswer[] | undefined {
  if (!Array.isArray(document) || document.length !== count) return undefined;
  const answers = document.flatMap((one: unknown) => {
    if (!isRecord(one) || typeof one['status'] !== 'number') return [];
    const error = typeof one['error'] === 'string' ? one['error'] : '';
    return [{ status: one['status'], value: one['value'], error }];
  });
  return answers.length === count ? answers : undefined;
}

/** What was read by a pattern or a name: bean → attributes. */
export function beansIn(request: JolokiaRequest, isPattern: boolean, value: unknown): [string, Attributes][] {
  if (!isRecord(value)) return [];
  if (!isPattern) return [[request.mbean, value]];
  return Object.entries(value).flatMap(([bean, attributes]) =>
    isRecord(attributes) ? [[bean, attributes]] : [],
  );
}

/** How Jolokia writes an attribute it could not read, with `ignoreErrors`. */
export function isUnreadable(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('ERROR: ');
}
