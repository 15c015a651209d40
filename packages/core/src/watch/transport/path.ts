/** Paths and queries of the Kubernetes API. */

/** What is needed of a `Kind` to address its objects. */
export interface ResourceRef {
  /** `''` for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural, lower case. */
  readonly resource: string;
  readonly namespaced: boolean;
}

export interface ResourceScope {
  /** Absent: all namespaces, or a resource without. */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-1`. */
export function resourcePath(ref: ResourceRef, scope: ResourceScope = {}): string {
  const root = ref.group === '' ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`;
  const namespace = ref.namespaced && scope.namespace !== undefined ? ['namespaces', scope.namespace] : [];
  const parts = [...namespace, ref.resource, scope.name, scope.subresource];
  return [root, ...parts.flatMap((part) => (part === undefined ? [] : encodeURIComponent(part)))].join('/');
}

export function withQuery(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(String(value))}`],
  );
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}
