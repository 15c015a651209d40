/** What a reflector holds and hands over. */

/** One object as the daemon remembers it. */
export interface Held<R> {
  /** `namespace/name`, or `name` for resources without a namespace. */
  readonly key: string;
  /** The object's resourceVersion. */
  readonly revision: string;
  /** What `project` made of it: plain JSON, without secrets. */
  readonly record: R;
}

/**
 * Why the removals in a list deserve distrust. `broken-watch`: it follows a watch that did not end in order, or a restart
 * of this daemon, so what is missing may only not be there *yet*. `identity-changed`: another cluster answers.
 * `revision-went-back`: the same cluster, restored to an earlier state.
 */
export type Doubt = 'broken-watch' | 'identity-changed' | 'revision-went-back';

/**
 * `snapshot`: restored from the state directory. `list`: the first list, when nothing was held. `watch`: events as they
 * happened. `relist`: the difference between a new list and what was held. `shrink-hold`: removals that had waited.
 */
export type Cause = 'snapshot' | 'list' | 'watch' | 'relist' | 'shrink-hold';

/** One batch; a key is in it at most once. */
export interface Changes<R> {
  /** Added or changed. */
  readonly put: readonly Held<R>[];
  /** Gone, as last held. */
  readonly delete: readonly Held<R>[];
  /** The resource's revision that this batch brings the records to. */
  readonly revision: string;
  readonly cause: Cause;
  /** Only with `relist`; undefined: nothing speaks against the removals. */
  readonly doubt: Doubt | undefined;
  /** UID of the cluster's kube-system namespace; undefined where we may not read it. */
  readonly identity: string | undefined;
}

/** A watch event after JSON.parse. */
export interface WatchEvent {
  readonly type: string;
  readonly object: ApiObject;
}

/** The part of an object a reflector itself reads. */
export interface ApiObject {
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}
