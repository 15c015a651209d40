/** Gathers the samples of beans; what cannot be used is counted by reason. */

import type { MetricType } from '@outrigger/core/exposition';
import { FamilyBuilder } from '../sources/families.ts';
import type { Answer } from '../sources/source.ts';
import type { JmxSetup } from './config-file.ts';
import { parseObjectName } from './object-name.ts';
import { isUnreadable } from './protocol.ts';
import type { Attributes } from './protocol.ts';
import type { JmxSample } from './rules.ts';
import { valuesIn } from './values.ts';

/** Drops: bean-gone, bean-refused, bad-name, unreadable (an attribute), duplicate, type-conflict. */
export class Samples {
  readonly #setup: JmxSetup;
  readonly #builder = new FamilyBuilder();
  readonly #types = new Map<string, MetricType>();
  readonly #dropped: Record<string, number> = {};
  /** Several patterns may select one bean. */
  readonly #taken = new Set<string>();

  constructor(setup: JmxSetup) {
    this.#setup = setup;
  }

  /** A request that was answered with another status than 200. */
  missed(status: number): void {
    this.#count(status === 404 ? 'bean-gone' : 'bean-refused');
  }

  take(bean: string, attributes: Attributes): void {
    if (this.#taken.has(bean)) return;
    this.#taken.add(bean);
    const name = parseObjectName(bean);
    if (name === undefined) return this.#count('bad-name');
    const { config, rules } = this.#setup;
    for (const [attribute, value] of Object.entries(attributes)) {
      if (!config.isAttributeTaken(name, attribute)) continue;
      if (isUnreadable(value)) this.#count('unreadable');
      else {
        for (const plain of valuesIn(name.properties, attribute, value)) {
          const sample = rules.sample(name.domain, plain);
          if (sample !== undefined) this.#add(sample);
        }
      }
    }
  }

  answer(): Answer {
    return { families: this.#builder.families(), dropped: this.#dropped };
  }

  #add(sample: JmxSample): void {
    const type = this.#types.get(sample.name);
    if (type === undefined) this.#types.set(sample.name, sample.type);
    else if (type !== sample.type) return this.#count('type-conflict');
    if (!this.#builder.add(sample, sample.value, sample.labels)) this.#count('duplicate');
  }

  #count(reason: string): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
  }
}
