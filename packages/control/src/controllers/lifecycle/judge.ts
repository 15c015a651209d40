/**
 * Which silent pods are to be taken for dead. Pure but for the holds it remembers.
 *
 * A pod whose Lease ran out is usually dead. But when many fall silent together, it is more likely that we are deaf: the
 * control service was cut off, stopped, or refused the renewals itself. Marking them all not ready would take down what
 * works. So when more than half of a group (the pods of one Service, or all Leases there are) is silent, or late enough
 * to become so, within one duration, the group is held: nobody in it is marked. A hold ends
 *
 * - when the Leases are renewed: nothing happened;
 * - when for a full duration enough of the group has been heard to say that we are not deaf: anyone of a Service, half
 *   of everyone. Who is still silent then is dead;
 * - after `holdMs`, if at least someone is heard at that time: then it is not us alone.
 *
 * When nobody at all is heard there is no end: what was last known to work is the best guess.
 */

import type { ObjectKey } from '../keys.ts';
import type { Heard } from './lease-book.ts';

export interface Member extends Heard {
  readonly key: ObjectKey;
  /** False for Leases that belong to no pod: they cannot expire here, but tell whether we hear. */
  readonly judged: boolean;
  /** Since when it has been not ready for its silence; undefined while it has not. */
  readonly markedAt: number | undefined;
}

/** All Leases together. No Service has this key. */
export const everyone = '*';

export interface Hold {
  /** A Service, or `everyone`. */
  readonly group: ObjectKey;
  readonly since: number;
  readonly silent: number;
  readonly members: number;
}

export interface Judgement {
  readonly expire: readonly ObjectKey[];
  readonly began: readonly Hold[];
  readonly ended: readonly (Hold & { readonly why: 'renewed' | 'heard' | 'timeout' })[];
  /** Pods that are silent and held. */
  readonly held: number;
  /** Nobody may be removed either while everyone is held. */
  readonly everyoneHeld: boolean;
}

interface Standing {
  readonly hold: Hold;
  /** Since when enough of the group has been heard after the hold began. */
  heardAt: number | undefined;
}

interface Group {
  readonly members: Member[];
  counted: number;
  lost: number;
}

export interface JudgeOptions {
  readonly holdMs: number;
  /** The Services that select a pod. */
  readonly servicesOf: (pod: ObjectKey) => readonly ObjectKey[];
}

export class Judge {
  readonly #options: JudgeOptions;
  readonly #standing = new Map<string, Standing>();

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  judge(members: readonly Member[], now: number): Judgement {
    const silent = members.filter((member) => isCandidate(member, now));
    const groups =
      silent.length + this.#standing.size === 0 ? new Map<string, Group>() : this.#groups(members, now);
    const ended = this.#endHolds(groups, now);
    const released = new Set(ended.map(({ group }) => group));
    const began = this.#beginHolds(groups, released, now);
    const everyoneHeld = this.#standing.has(everyone);
    const free = silent.filter(
      ({ key }) =>
        !everyoneHeld && !this.#options.servicesOf(key).some((service) => this.#standing.has(service)),
    );
    return {
      expire: free.map(({ key }) => key),
      began,
      ended,
      held: silent.length - free.length,
      everyoneHeld,
    };
  }

  #beginHolds(groups: ReadonlyMap<string, Group>, released: ReadonlySet<string>, now: number): Hold[] {
    const began: Hold[] = [];
    for (const [group, { members, counted, lost }] of groups) {
      if (this.#standing.has(group) || released.has(group)) continue;
      if (!tooMany(group, counted, lost) || !members.some((member) => isCandidate(member, now))) continue;
      const hold = { group, since: now, silent: lost, members: counted };
      this.#standing.set(group, { hold, heardAt: undefined });
      began.push(hold);
    }
    return began;
  }

  #endHolds(groups: ReadonlyMap<string, Group>, now: number): Judgement['ended'] {
    const ended: { -readonly [K in keyof Judgement['ended'][number]]: Judgement['ended'][number][K] }[] = [];
    for (const [group, standing] of this.#standing) {
      const why = this.#whyOver(standing, groups.get(group), now);
      if (why === undefined) continue;
      this.#standing.delete(group);
      ended.push({ ...standing.hold, why });
    }
    return ended;
  }

  #whyOver(
    standing: Standing,
    group: Group | undefined,
    now: number,
  ): 'renewed' | 'heard' | 'timeout' | undefined {
    const { hold } = standing;
    if (group === undefined || !group.members.some((member) => isCandidate(member, now))) return 'renewed';
    const heard = group.members.filter((member) => isHeard(member, hold.since, now)).length;
    const ofAll = hold.group === everyone;
    const enough = heard > 0 && (!ofAll || heard * 2 >= group.counted);
    standing.heardAt = enough ? (standing.heardAt ?? now) : undefined;
    const graceMs = group.members.reduce((longest, { durationMs }) => Math.max(longest, durationMs), 0);
    if (standing.heardAt !== undefined && now - standing.heardAt >= graceMs) return 'heard';
    const someoneHeard = ofAll ? heard > 0 : !this.#standing.has(everyone);
    return someoneHeard && now - hold.since >= this.#options.holdMs ? 'timeout' : undefined;
  }

  #groups(members: readonly Member[], now: number): Map<string, Group> {
    const groups = new Map<string, Group>();
    for (const member of members) {
      const late = isLate(member, now);
      const services = member.judged ? this.#options.servicesOf(member.key) : [];
      const counts = !late || isFreshLoss(member, now);
      for (const name of [everyone, ...services]) {
        const group = groups.get(name) ?? { members: [], counted: 0, lost: 0 };
        groups.set(name, group);
        group.members.push(member);
        if (counts) group.counted += 1;
        if (counts && late) group.lost += 1;
      }
    }
    return groups;
  }
}

export function isSilent({ lastHeard, durationMs }: Heard, now: number): boolean {
  return now - lastHeard >= durationMs;
}

/**
 * Leases are renewed three times in their duration or more often, so one this old has missed its time. In an outage
 * all of them have by the time the first runs out: the hold comes before the first verdict.
 */
const lateAt = 2 / 3;

function isLate({ lastHeard, durationMs }: Heard, now: number): boolean {
  return now - lastHeard >= durationMs * lateAt;
}

/** Renewed since a time, and not late again. */
function isHeard(member: Member, since: number, now: number): boolean {
  return member.renewedAt !== undefined && member.renewedAt > since && !isLate(member, now);
}

/** Silent, and nothing has been done about it yet. */
function isCandidate(member: Member, now: number): boolean {
  return member.judged && member.markedAt === undefined && isSilent(member, now);
}

/** Of a Service with a single pod there is nothing to compare; whether we hear anyone, all Leases together tell. */
function tooMany(group: string, counted: number, lost: number): boolean {
  return lost * 2 > counted && (group === everyone || counted > 1);
}

/**
 * Silence counts for one duration after it was noticed, so that Leases which run out one after the other, as they were
 * renewed one after the other, are seen as the one loss that they are. What has been dead for longer is no member at all.
 */
function isFreshLoss({ judged, markedAt, lastHeard, durationMs }: Member, now: number): boolean {
  if (!judged) return now - lastHeard < 2 * durationMs;
  return markedAt === undefined || now - markedAt < durationMs;
}
