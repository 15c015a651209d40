/**
 * The end of pods that no kubelet looks after. A registered pod (label `outrigger.dev/registered: "true"`) lives by the
 * Lease of its own name in its namespace, which `outrigger register` renews and the pod owns:
 *
 *   Lease silent for its duration → Ready becomes False, reason LeaseExpired
 *   still silent `removeAfterMs` later → the pod is removed; its Lease follows by garbage collection
 *   renewed in between → Ready becomes what ContainersReady says
 *
 * A pod that is being deleted is removed when its Lease is deleted or runs out, or when its grace has passed, whichever
 * is first: `register` sees the deletionTimestamp, drains, and deletes the pod itself without grace, or deletes its Lease.
 * Other pods being deleted are removed when their grace has passed.
 *
 * Nothing is judged from the times in the Leases, and never everyone at once: see `lease-book.ts` and `judge.ts`.
 */

import type { KubernetesObject, Pod } from '@outrigger/core/api';
import { leaseKind, podKind } from '@outrigger/core/api';
import type { Timer } from '@outrigger/core/clock';
import type { ControllerApi } from '../api.ts';
import { EventRecorder } from '../events.ts';
import { Expectations } from '../expectations.ts';
import type { Informers } from '../informers.ts';
import type { ObjectKey } from '../keys.ts';
import { keyOf, revisionOf } from '../keys.ts';
import { registeredLabel } from '../names.ts';
import type { ControllerOptions } from '../options.ts';
import type { WorkQueue } from '../queue.ts';
import type { ControllerDeps } from '../sync-loop.ts';
import { syncQueue } from '../sync-loop.ts';
import type { World } from '../world.ts';
import { Writer } from '../writer.ts';
import type { Hold, Judgement, Member } from './judge.ts';
import { everyone, isSilent, Judge } from './judge.ts';
import { LeaseBook } from './lease-book.ts';
import { isMarkedExpired, markExpired, markRenewed } from './status.ts';

interface Tracked {
  pod: Pod;
  /** Since when its Lease is missed if it has none. By this process's clock, as everything here. */
  since: number;
  /** Since when it has been marked not ready for its silence, or is about to be. */
  markedAt: number | undefined;
  terminatingSince: number | undefined;
  /** Decided, and not seen done yet. */
  intent: 'expire' | 'renew' | 'remove' | undefined;
}

/** A sweep that comes this many periods late means that the process, or the machine, was stopped. */
const latePeriods = 3;

export class PodLifecycle {
  readonly queue: WorkQueue;
  readonly #world: World;
  readonly #deps: ControllerDeps;
  readonly #options: ControllerOptions;
  readonly #book: LeaseBook;
  readonly #judge: Judge;
  readonly #events: EventRecorder;
  readonly #expectations: Expectations;
  readonly #writer: Writer<Pod>;
  /** Registered pods, and all that are being deleted. */
  readonly #pods = new Map<ObjectKey, Tracked>();
  #held = 0;
  #lastSweep = 0;
  #timer: Timer | undefined;

  constructor(
    api: ControllerApi,
    informers: Informers,
    world: World,
    deps: ControllerDeps,
    options: ControllerOptions,
  ) {
    const { clock, observer } = deps;
    this.#world = world;
    this.#deps = deps;
    this.#options = options;
    this.#book = new LeaseBook(options.leaseDurationMs);
    this.#judge = new Judge({
      holdMs: options.holdMs,
      servicesOf: (pod) => world.servicesOf(pod),
    });
    this.#events = new EventRecorder(api, deps, options);
    const expectations = new Expectations(clock, options.staleCacheMs);
    this.#expectations = expectations;
    this.#writer = new Writer({
      api,
      kind: podKind,
      controller: 'lifecycle',
      expectations,
      observer,
      shown: (key) => this.#pods.get(key)?.pod,
    });
    const sync = (key: ObjectKey): Promise<number> => this.#sync(key);
    this.queue = syncQueue({ name: 'lifecycle', deps, options, expectations, sync });
    observer.leasesHeld(() => this.#held);
    informers.watch(podKind, { put: (pod) => this.#put(pod), deleted: (pod) => this.#forget(keyOf(pod)) });
    informers.watch(leaseKind, {
      put: (lease) => this.#book.put(lease, clock.now()),
      deleted: (lease) => this.#leaseDeleted(keyOf(lease)),
    });
  }

  /** Every Lease gets its full duration from here on. */
  start(): void {
    this.#lastSweep = this.#deps.clock.now();
    this.#book.freshStart(this.#lastSweep);
    this.queue.start();
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.queue.close();
    await this.#events.close();
  }

  #put(pod: Pod): void {
    const key = keyOf(pod);
    const terminating = pod.metadata.deletionTimestamp !== undefined;
    if (!terminating && pod.metadata.labels?.[registeredLabel] !== 'true') {
      this.#forget(key);
      return;
    }
    const now = this.#deps.clock.now();
    const tracked: Tracked = this.#pods.get(key) ?? {
      pod,
      since: now,
      markedAt: undefined,
      terminatingSince: undefined,
      intent: undefined,
    };
    tracked.pod = pod;
    if (terminating) tracked.terminatingSince ??= now;
    if (isMarkedExpired(pod)) tracked.markedAt ??= now;
    else if (tracked.intent !== 'expire') tracked.markedAt = undefined;
    this.#pods.set(key, tracked);
    this.#expectations.seen(key, revisionOf(pod));
    if (tracked.intent !== undefined) this.queue.add(key);
  }

  #forget(key: ObjectKey): void {
    this.#pods.delete(key);
    this.#expectations.gone(key);
  }

  #leaseDeleted(key: ObjectKey): void {
    this.#book.delete(key);
    const tracked = this.#pods.get(key);
    if (tracked === undefined) return;
    tracked.since = this.#deps.clock.now();
    if (tracked.terminatingSince !== undefined) this.#decide(key, 'remove');
  }

  #schedule(): void {
    const { clock } = this.#deps;
    this.#timer = clock.setTimeout(() => {
      this.#sweep(clock.now());
      this.#schedule();
    }, this.#options.leaseSweepMs);
  }

  #sweep(now: number): void {
    const late = now - this.#lastSweep > latePeriods * this.#options.leaseSweepMs;
    this.#lastSweep = now;
    if (late) {
      this.#deps.log.warn('the clock jumped: every Lease gets its full duration again');
      this.#book.freshStart(now);
    }
    const judgement = this.#judge.judge(this.#members(), now);
    this.#held = judgement.held;
    for (const hold of judgement.began) this.#tellHold(hold);
    for (const hold of judgement.ended) this.#deps.log.info('a hold of silent pods ended', { ...hold });
    for (const key of judgement.expire) this.#decide(key, 'expire');
    for (const [key, tracked] of this.#pods) this.#decideRest(key, tracked, judgement, now);
  }

  #members(): Member[] {
    const members: Member[] = [];
    for (const [key, { pod, since, markedAt, terminatingSince }] of this.#pods) {
      if (terminatingSince !== undefined || isEnded(pod)) continue;
      members.push({
        ...this.#book.heard(key, since),
        key,
        judged: true,
        markedAt,
      });
    }
    for (const key of this.#book.keys()) {
      if (this.#pods.has(key)) continue;
      members.push({ ...this.#book.heard(key, 0), key, judged: false, markedAt: undefined });
    }
    return members;
  }

  #decideRest(key: ObjectKey, tracked: Tracked, judgement: Judgement, now: number): void {
    const heard = this.#book.heard(key, tracked.since);
    if (tracked.terminatingSince !== undefined) {
      if (this.#mayRemove(key, tracked, now)) this.#decide(key, 'remove');
      return;
    }
    if (!isSilent(heard, now)) {
      if (tracked.markedAt !== undefined && heard.renewedAt !== undefined) this.#decide(key, 'renew');
      return;
    }
    const silentSince = isEnded(tracked.pod) ? heard.lastHeard + heard.durationMs : tracked.markedAt;
    const longEnough = silentSince !== undefined && now - silentSince >= this.#options.removeAfterMs;
    if (longEnough && !judgement.everyoneHeld) this.#decide(key, 'remove');
  }

  /** Whoever ran it is done with it, or has had the time to be. */
  #mayRemove(key: ObjectKey, { pod, since, terminatingSince = since }: Tracked, now: number): boolean {
    const { finalizers, deletionGracePeriodSeconds = 0, labels } = pod.metadata;
    // Removed but for its finalizers: whoever set them is to act now.
    if (deletionGracePeriodSeconds === 0 && (finalizers ?? []).length > 0) return false;
    if (now - terminatingSince >= deletionGracePeriodSeconds * 1_000) return true;
    if (labels?.[registeredLabel] !== 'true') return false;
    return !this.#book.has(key) || isSilent(this.#book.heard(key, since), now);
  }

  #decide(key: ObjectKey, intent: NonNullable<Tracked['intent']>): void {
    const tracked = this.#pods.get(key);
    if (tracked === undefined || tracked.intent === intent) return;
    tracked.intent = intent;
    // From here on it counts as marked, though the write takes a moment: the next sweep must not take it for alive.
    if (intent === 'expire') tracked.markedAt = this.#deps.clock.now();
    this.queue.add(key);
  }

  async #sync(key: ObjectKey): Promise<number> {
    const tracked = this.#pods.get(key);
    if (tracked === undefined) return 0;
    const { intent } = tracked;
    switch (intent) {
      case undefined:
        return 0;
      case 'expire':
        await this.#expire(key, tracked);
        break;
      case 'renew':
        await this.#renew(key, tracked);
        break;
      case 'remove':
        await this.#remove(key, tracked);
    }
    if (tracked.intent === intent) tracked.intent = undefined;
    return 0;
  }

  /** Looks again first: time has passed since the sweep, more so after a conflict. */
  async #expire(key: ObjectKey, tracked: Tracked): Promise<void> {
    const { pod, since } = tracked;
    if (isMarkedExpired(pod)) return;
    const { clock, observer, log } = this.#deps;
    const heard = this.#book.heard(key, since);
    if (!isSilent(heard, clock.now())) {
      tracked.markedAt = undefined;
      return;
    }
    const silentMs = Math.round(clock.now() - heard.lastHeard);
    await this.#writer.updateStatus(key, markExpired(pod, silentMs, clock.wall()));
    observer.leasesExpired(1);
    log.warn('the Lease of a pod expired', { pod: key, silentMs });
    const message = `not renewed for ${Math.round(silentMs / 1_000)} s: the pod counts as not ready`;
    this.#events.record(pod, { type: 'Warning', reason: 'LeaseExpired', message });
  }

  async #renew(key: ObjectKey, { pod, since }: Tracked): Promise<void> {
    const { clock, observer, log } = this.#deps;
    const renewed = isMarkedExpired(pod) ? markRenewed(pod, clock.wall()) : undefined;
    if (renewed === undefined || isSilent(this.#book.heard(key, since), clock.now())) return;
    await this.#writer.updateStatus(key, renewed);
    observer.leasesRenewed(1);
    log.info('the Lease of a pod is renewed again', { pod: key });
    const message = 'the Lease is renewed again: the pod is as ready as its containers';
    this.#events.record(pod, { type: 'Normal', reason: 'LeaseRenewed', message });
  }

  async #remove(key: ObjectKey, { pod, since, terminatingSince }: Tracked): Promise<void> {
    const heardAgain = !isSilent(this.#book.heard(key, since), this.#deps.clock.now());
    if (terminatingSince === undefined && heardAgain) return;
    await this.#writer.delete(key, pod);
    this.#deps.observer.podsRemoved(1);
    const why = terminatingSince === undefined ? 'nothing was heard from it for too long' : 'it has ended';
    this.#deps.log.info('a pod was removed', { pod: key, why });
    if (terminatingSince !== undefined) return;
    this.#events.record(pod, { type: 'Warning', reason: 'PodRemoved', message: `removed: ${why}` });
  }

  #tellHold({ group, silent, members }: Hold): void {
    const message =
      `${silent} of ${members} Leases were not renewed in time, at once: ` +
      'their pods stay as they are until Leases are heard again';
    this.#deps.log.warn('too many Leases expired at once: holding', { group, silent, members });
    this.#events.record(this.#holdObject(group), { type: 'Warning', reason: 'LeasesHeld', message });
  }

  #holdObject(group: string): KubernetesObject {
    const service = group === everyone ? undefined : this.#world.service(group);
    return service ?? { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };
  }
}

function isEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
