/**
 * The plan of everything, kept up to date at the cost of what changed.
 *
 * `planAll` is the definition: the plan is a pure function of catalog and context. `Planner` gives the same answer, but
 * plans only the Services that were marked dirty since the last time.
 */

import type { Catalog } from '../catalog/catalog.ts';
import type { ObjectKey } from '../catalog/records.ts';
import { planService } from './service.ts';
import type { PlanContext, ServicePlan } from './types.ts';

export type Plans = ReadonlyMap<ObjectKey, ServicePlan>;

export interface PlanChanges {
  readonly changed: readonly ServicePlan[];
  readonly removed: readonly ObjectKey[];
}

export function planAll(catalog: Catalog, context: PlanContext): Plans {
  const plans = new Map<ObjectKey, ServicePlan>();
  for (const key of catalog.keys()) {
    const view = catalog.view(key);
    if (view !== undefined) plans.set(key, planService(view, context));
  }
  return plans;
}

export class Planner {
  readonly #catalog: Catalog;
  readonly #plans = new Map<ObjectKey, ServicePlan>();
  #context: PlanContext;
  #everything = true;

  constructor(catalog: Catalog, context: PlanContext) {
    this.#catalog = catalog;
    this.#context = context;
  }

  get plans(): Plans {
    return this.#plans;
  }

  get context(): PlanContext {
    return this.#context;
  }

  /** A new zone, address or default concerns every Service. */
  setContext(context: PlanContext): void {
    this.#context = context;
    this.#everything = true;
  }

  /** Plans what is dirty, or all of it after a change of context. */
  sync(): PlanChanges {
    const dirty = this.#catalog.takeDirty();
    const keys = this.#everything ? new Set([...this.#catalog.keys(), ...this.#plans.keys()]) : dirty;
    this.#everything = false;
    const changed: ServicePlan[] = [];
    const removed: ObjectKey[] = [];
    for (const key of keys) {
      const view = this.#catalog.view(key);
      if (view !== undefined) changed.push(this.#plan(view));
      else if (this.#plans.delete(key)) removed.push(key);
    }
    return { changed, removed };
  }

  #plan(view: NonNullable<ReturnType<Catalog['view']>>): ServicePlan {
    const plan = planService(view, this.#context);
    this.#plans.set(view.key, plan);
    return plan;
  }
}
