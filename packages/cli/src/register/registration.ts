/**
 * What the control service is told of the command, level-triggered: the wanted state is kept here, a sync writes what
 * differs from what was written last, and a sync that fails is run again. The command runs on meanwhile.
 */

import {
  ApiError,
  endpointSliceKind,
  eventKind,
  leaseKind,
  podKind,
  serviceKind,
  formatMicroTime,
  formatTime,
} from '@outrigger/core/api';
import type { Event, KubernetesObject, Pod, Service } from '@outrigger/core/api';
import type { Timer } from '@outrigger/core/clock';
import { OutriggerError } from '@outrigger/core/errors';
import { Dirty } from '@outrigger/core/lifecycle';
import type { Deps } from '@outrigger/core/lifecycle';
import { jitter } from '@outrigger/core/clock';
import { resourcePath } from '@outrigger/core/watch';
import type { ApiClient } from '@outrigger/core/watch';
import type { RegisterConfig } from './config.ts';
import { newEvent, newLease, newPod, newService, newSlice, podStatus, portProblems } from './objects.ts';
import type { Condition } from './objects.ts';

const mergePatch = 'application/merge-patch+json';
/** A goodbye that takes longer is not waited for: the Lease runs out by itself. */
const goodbyeTimeoutMs = 2000;

export class Registration {
  readonly #config: RegisterConfig;
  readonly #command: readonly string[];
  readonly #client: ApiClient;
  readonly #deps: Deps;
  readonly #dirty: Dirty;
  readonly #registered = Promise.withResolvers<void>();
  #ours = true;
  #service: Service | undefined;
  #pod: Pod | undefined;
  #written = '';
  #condition: Condition | undefined;
  #terminating = false;
  #over = false;
  #renewal: Timer | undefined;
  /** Settles when nothing that writes is under way: a Pod created after its deletion would stay behind. */
  #quiet: Promise<unknown> = Promise.resolve();
  #lastEvent: { key: string; event: Event } | undefined;

  constructor(config: RegisterConfig, command: readonly string[], client: ApiClient, deps: Deps) {
    this.#config = config;
    this.#command = command;
    this.#client = client;
    this.#deps = deps;
    this.#dirty = new Dirty({
      clock: deps.clock,
      run: () => this.#underWay(this.#sync()),
      onError: (error) => deps.log.warn('registration not written, trying again', { error }),
    });
  }

  /** The workload is known to the control service. */
  get registered(): Promise<void> {
    return this.#registered.promise;
  }

  /**
   * Asks whose API server this is and for the Service. Throws REGISTER_NO_SERVICE or REGISTER_NO_SELECTOR; rejects as
   * the client does when the server cannot be reached, and then the command may start all the same.
   */
  async begin(): Promise<void> {
    const { gitVersion = '' } = await this.#client.request<{ gitVersion?: string }>({ path: '/version' });
    this.#ours = gitVersion.includes('outrigger');
    this.#service = await this.#ensureService();
    for (const problem of portProblems(this.#config, this.#service)) this.#deps.log.warn(problem);
  }

  /** The command changed: so it shall be written. */
  update(condition: Condition): void {
    this.#condition = condition;
    this.#dirty.mark();
  }

  /** Something happened that people should find in `kubectl describe`. Repetitions are counted in one Event. */
  async tell(type: 'Normal' | 'Warning', reason: string, message: string): Promise<void> {
    const { uid } = this.#pod?.metadata ?? {};
    if (uid === undefined) return;
    const { namespace } = this.#config;
    const key = `${reason} ${message}`;
    const wall = this.#deps.clock.wall();
    try {
      if (this.#lastEvent?.key === key) {
        const { event } = this.#lastEvent;
        event.count = (event.count ?? 1) + 1;
        const body = { count: event.count, lastTimestamp: formatTime(wall) };
        const path = resourcePath(eventKind, { namespace, name: event.metadata.name ?? '' });
        await this.#client.request({ method: 'PATCH', path, body, contentType: mergePatch });
        return;
      }
      const event = newEvent(this.#config, { uid }, { type, reason, message }, wall);
      await this.#client.request({
        method: 'POST',
        path: resourcePath(eventKind, { namespace }),
        body: event,
      });
      this.#lastEvent = { key, event };
    } catch (error) {
      // Gone perhaps, as Events are after a while: the next one is written anew.
      this.#lastEvent = undefined;
      this.#deps.log.debug('event not written', { reason, error });
    }
  }

  /** Terminating: proxies stop sending new connections. Bounded in time, and never rejects. */
  async sayGoodbye(graceMs: number): Promise<void> {
    this.#terminating = true;
    if (this.#ours) await this.#delete(Math.ceil(graceMs / 1000));
    else {
      this.#dirty.mark();
      await this.#briefly(this.#sync());
    }
  }

  /** The command has ended: nothing of it stays behind. */
  async leave(): Promise<void> {
    this.#over = true;
    this.#renewal?.cancel();
    this.#dirty.close();
    await this.#delete(0);
  }

  /** Somebody else deleted the Pod (`kubectl delete pod`): `register` ends as if it had been told to. */
  async deletedByOthers(): Promise<boolean> {
    const { uid } = this.#pod?.metadata ?? {};
    if (!this.#ours || uid === undefined || this.#terminating) return false;
    const pod = await this.#get<Pod>(resourcePath(podKind, this.#place()));
    return pod?.metadata.uid === uid && pod.metadata.deletionTimestamp !== undefined;
  }

  async #sync(): Promise<void> {
    const condition = this.#condition;
    if (condition === undefined || this.#over) return;
    if (this.#service === undefined) await this.begin();
    if (this.#ours) await this.#syncPod(condition);
    else await this.#syncSlice(condition);
    this.#registered.resolve();
  }

  async #syncPod(condition: Condition): Promise<void> {
    if (this.#terminating && this.#pod !== undefined) return;
    if (this.#over) return;
    this.#pod ??= await this.#createPod();
    const status = podStatus(this.#config, condition);
    const text = JSON.stringify(status);
    if (text === this.#written) return;
    const path = resourcePath(podKind, { ...this.#place(), subresource: 'status' });
    const written = await this.#unlessGone(() =>
      this.#client.request<Pod>({ method: 'PATCH', path, body: { status }, contentType: mergePatch }),
    );
    if (written === undefined) {
      // Taken for dead and removed, by a pause of this machine perhaps: it is not, so it comes again.
      this.#pod = undefined;
      this.#written = '';
      await this.#syncPod(condition);
      return;
    }
    this.#written = text;
    this.#renewal ??= this.#scheduleRenewal(0);
  }

  /** A Pod of that name is of an earlier life of this command: it makes room. */
  async #createPod(): Promise<Pod> {
    const { namespace } = this.#config;
    const pod = newPod(this.#config, this.#service?.spec.selector ?? {}, this.#command);
    const path = resourcePath(podKind, { namespace });
    try {
      return await this.#client.request<Pod>({ method: 'POST', path, body: pod });
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      await this.#deletePod(0);
      return this.#client.request<Pod>({ method: 'POST', path, body: pod });
    }
  }

  async #syncSlice(condition: Condition): Promise<void> {
    const service = this.#service;
    if (service === undefined) return;
    const slice = newSlice(this.#config, service, condition, this.#terminating);
    const text = JSON.stringify(slice);
    if (text === this.#written) return;
    const { namespace, name = '' } = slice.metadata;
    const scope = { ...(namespace === undefined ? {} : { namespace }) };
    const path = resourcePath(endpointSliceKind, { ...scope, name });
    const { ports, endpoints } = slice;
    const patched = await this.#unlessGone(() =>
      this.#client.request({ method: 'PATCH', path, body: { ports, endpoints }, contentType: mergePatch }),
    );
    if (patched === undefined) {
      await this.#client.request({
        method: 'POST',
        path: resourcePath(endpointSliceKind, scope),
        body: slice,
      });
    }
    this.#written = text;
  }

  async #ensureService(): Promise<Service> {
    const { namespace, service: name, createService } = this.#config;
    const found = await this.#get<Service>(resourcePath(serviceKind, { namespace, name }));
    if (found === undefined) {
      if (createService) return this.#createService();
      throw new OutriggerError(`there is no Service ${namespace}/${name}`, {
        code: 'REGISTER_NO_SERVICE',
        target: `${namespace}/${name}`,
        hint: 'create it, or say --create-service',
      });
    }
    if (!this.#ours || Object.keys(found.spec.selector ?? {}).length > 0) return found;
    if (!createService) {
      throw new OutriggerError(`Service ${namespace}/${name} has no selector, so no Pod can belong to it`, {
        code: 'REGISTER_NO_SELECTOR',
        target: `${namespace}/${name}`,
        hint: 'give it one, or say --create-service',
      });
    }
    const { selector } = newService(this.#config).spec;
    const path = resourcePath(serviceKind, { namespace, name });
    return this.#client.request<Service>({
      method: 'PATCH',
      path,
      body: { spec: { selector } },
      contentType: mergePatch,
    });
  }

  /** Several workloads may start at once: who comes second finds it there. */
  async #createService(): Promise<Service> {
    const { namespace, service: name } = this.#config;
    try {
      const path = resourcePath(serviceKind, { namespace });
      return await this.#client.request<Service>({ method: 'POST', path, body: newService(this.#config) });
    } catch (error) {
      const found = isStatus(error, 409)
        ? await this.#get<Service>(resourcePath(serviceKind, { namespace, name }))
        : undefined;
      if (found === undefined) throw error;
      return found;
    }
  }

  #scheduleRenewal(delayMs: number): Timer {
    return this.#deps.clock.setTimeout(() => {
      void this.#underWay(this.#renew()).finally(() => {
        // Three tries within the Lease's life: two may be lost.
        const next = jitter((this.#config.leaseSeconds * 1000) / 4, 0.2, this.#deps.random);
        if (!this.#over) this.#renewal = this.#scheduleRenewal(next);
      });
    }, delayMs);
  }

  async #renew(): Promise<void> {
    const { uid } = this.#pod?.metadata ?? {};
    if (uid === undefined || this.#over) return;
    const { name, leaseSeconds } = this.#config;
    const wall = this.#deps.clock.wall();
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: leaseSeconds,
      renewTime: formatMicroTime(wall),
    };
    const path = resourcePath(leaseKind, this.#place());
    const timeoutMs = (leaseSeconds * 1000) / 4;
    try {
      const renewed = await this.#unlessGone(() =>
        this.#client.request({ method: 'PATCH', path, body: { spec }, contentType: mergePatch, timeoutMs }),
      );
      if (renewed !== undefined) return;
      const owner = { apiVersion: 'v1', kind: 'Pod', name, uid };
      const { namespace } = this.#config;
      await this.#client.request({
        method: 'POST',
        path: resourcePath(leaseKind, { namespace }),
        body: newLease(this.#config, owner, wall),
      });
      // The Lease went with the Pod, or is new: either way the status is to be looked at again.
      this.#written = '';
      this.#dirty.mark();
    } catch (error) {
      this.#deps.log.warn('lease not renewed', { error });
    }
  }

  async #delete(graceSeconds: number): Promise<void> {
    await this.#briefly(
      this.#quiet.then(() => (this.#ours ? this.#deletePod(graceSeconds) : this.#deleteSlice())),
    );
  }

  #underWay(work: Promise<void>): Promise<void> {
    this.#quiet = Promise.allSettled([this.#quiet, work]);
    return work;
  }

  async #deletePod(gracePeriodSeconds: number): Promise<void> {
    const path = resourcePath(podKind, this.#place());
    await this.#unlessGone(() =>
      this.#client.request({ method: 'DELETE', path, body: { gracePeriodSeconds } }),
    );
    if (gracePeriodSeconds > 0) return;
    const lease = resourcePath(leaseKind, this.#place());
    await this.#unlessGone(() => this.#client.request({ method: 'DELETE', path: lease }));
  }

  async #deleteSlice(): Promise<void> {
    const { namespace, name, service } = this.#config;
    const path = resourcePath(endpointSliceKind, { namespace, name: `${service}-${name}` });
    await this.#unlessGone(() => this.#client.request({ method: 'DELETE', path }));
  }

  async #briefly(work: Promise<unknown>): Promise<void> {
    const limit = new AbortController();
    // Rejects only when the work was done in time.
    const late = this.#deps.clock.sleep(goodbyeTimeoutMs, limit.signal).catch(() => undefined);
    try {
      await Promise.race([work, late]);
    } catch (error) {
      this.#deps.log.warn('goodbye not written: the Lease will run out', { error });
    } finally {
      limit.abort(new Error('done'));
    }
  }

  #place(): { namespace: string; name: string } {
    return { namespace: this.#config.namespace, name: this.#config.name };
  }

  #get<T extends KubernetesObject>(path: string): Promise<T | undefined> {
    return this.#unlessGone(() => this.#client.request<T>({ path }));
  }

  async #unlessGone<T>(request: () => Promise<T>): Promise<T | undefined> {
    try {
      return await request();
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }
}

function isStatus(error: unknown, code: number): boolean {
  return error instanceof ApiError && error.toStatus().code === code;
}
