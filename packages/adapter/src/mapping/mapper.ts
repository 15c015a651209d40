/**
 * Names → what the rules make of them.
 *
 * Globs are tried first, all at once; regular expressions only where no glob matches, one by one in their order. What
 * is found is remembered by whoever asks (the key cache of the intake), misses too: this runs once per distinct name.
 */

import { compileRegex, compileTemplate } from '../regex.ts';
import type { Captures, Regex, Template } from '../regex.ts';
import { GlobTree } from './globs.ts';
import type { MappingRules, MetricKind, Rule } from './rules.ts';

export interface Mapped {
  readonly rule: Rule;
  /** With captures put in; not sanitised. */
  readonly name: string;
  readonly labels: readonly (readonly [string, string])[];
}

interface Templates {
  readonly name: Template;
  readonly labels: readonly (readonly [string, Template])[];
}

const kinds: readonly MetricKind[] = ['counter', 'gauge', 'observer'];

export class Mapper {
  readonly rules: MappingRules;
  readonly #globs: ReadonlyMap<MetricKind, GlobTree>;
  readonly #regexes: readonly { readonly rule: Rule; readonly regex: Regex }[];
  readonly #templates: readonly Templates[];

  constructor(rules: MappingRules) {
    this.rules = rules;
    const globs = rules.rules.filter(({ matchType }) => matchType === 'glob');
    this.#globs = new Map(
      kinds.map((kind) => {
        const ofKind = globs.filter((rule) => rule.kind === undefined || rule.kind === kind);
        return [kind, new GlobTree(ofKind, !rules.globDisableOrdering)];
      }),
    );
    this.#regexes = rules.rules
      .filter(({ matchType }) => matchType === 'regex')
      .map((rule) => ({ rule, regex: compileRegex(rule.match) }));
    this.#templates = rules.rules.map((rule) => ({
      name: compileTemplate(rule.name),
      labels: rule.labels.map(([name, template]) => [name, compileTemplate(template)] as const),
    }));
  }

  /** `name` as the line has it, without tags. Undefined where no rule matches. */
  map(name: string, kind: MetricKind): Mapped | undefined {
    const glob = this.#globs.get(kind)?.find(name);
    if (glob !== undefined) return this.#fill(glob.rule, { texts: [name, ...glob.captures], names: {} });
    for (const { rule, regex } of this.#regexes) {
      if (rule.kind !== undefined && rule.kind !== kind) continue;
      const captures = regex.find(name);
      if (captures !== undefined) return this.#fill(rule, captures);
    }
    return undefined;
  }

  #fill(rule: Rule, captures: Captures): Mapped {
    const templates = this.#templates[rule.index];
    return {
      rule,
      name: templates?.name(captures) ?? '',
      labels: (templates?.labels ?? []).map(([name, template]) => [name, template(captures)] as const),
    };
  }
}
