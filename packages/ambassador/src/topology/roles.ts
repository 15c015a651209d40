/**
 * Who is the primary: from what each server says of itself, and what the source of the servers says.
 *
 * Nobody is believed alone. A name in the configuration may be out of date, and a server that was the primary says so
 * until somebody tells it otherwise. So a primary must say `role:master` itself *and* be the one that is meant:
 *
 * - `named`: Sentinel, or the cluster, decides; a server that claims the role against them is none.
 * - `configured`: whoever is named in the configuration, while it is a primary. Where it has become a replica, the one
 *   other server that is a primary of its data, which is what people expect after a failover by hand. It stays until it
 *   gives the role up in its turn, or the configured one is promoted out of its data: whoever comes back from the dead
 *   says `master` too, with old data.
 * - `asked`: members of one Service are equals. One claims the role: it, unless somebody else may be it who is silent.
 *   Several do: the one that was promoted out of all the others' histories (`master_replid2`); or the one that has been it
 *   without interruption, if nobody was promoted out of its history. Else nobody, since one of them would get writes that
 *   the other's survival destroys.
 */

import type { Sample } from './topology.ts';

export type Belief =
  | { readonly kind: 'named'; readonly name: string | undefined; readonly why: string }
  | { readonly kind: 'configured'; readonly name: string | undefined; readonly why: string }
  | { readonly kind: 'asked'; readonly why: string };

/** A server of the shard as it is known now. */
export interface Member {
  readonly name: string;
  /** Undefined when it cannot be asked. */
  readonly sample: Sample | undefined;
  /** Why it cannot be asked. */
  readonly why: string;
  /** It has answered or failed once at least. */
  readonly asked: boolean;
}

/** The primary of late: the present one, or the one before there was none. */
export interface Incumbent {
  readonly name: string;
  readonly sample: Sample;
  /** Who was meant when it was elected. */
  readonly meant: string | undefined;
  /** It has been the primary until this moment. */
  readonly sitting: boolean;
}

export type Verdict = { readonly primary: Claimant } | { readonly primary: undefined; readonly why: string };

type Claimant = Member & { readonly sample: Sample };

export function elect(members: readonly Member[], belief: Belief, incumbent: Incumbent | undefined): Verdict {
  switch (belief.kind) {
    case 'named':
      return named(members, belief.name, belief.why);
    case 'configured':
      return configured(members, belief, incumbent);
    case 'asked':
      return asked(members, belief.why, incumbent);
  }
}

function named(members: readonly Member[], name: string | undefined, why: string): Verdict {
  const member = members.find((one) => one.name === name);
  if (member === undefined) return none(why === '' ? `${name} is not among the servers` : why);
  const { sample } = member;
  if (sample === undefined) return none(`${member.name}: ${member.why}`);
  return sample.role === 'master' ? settled(member as Claimant) : none(itIsAReplica(member as Claimant));
}

function configured(
  members: readonly Member[],
  belief: Belief & { kind: 'configured' },
  incumbent: Incumbent | undefined,
): Verdict {
  const claimants = members.filter(claims);
  const heir =
    incumbent?.meant === belief.name && incumbent?.name !== belief.name ? incumbent?.name : undefined;
  const sitting = claimants.find(({ name }) => name === heir);
  const back = claimants.find(({ name }) => name === belief.name);
  const returns = sitting !== undefined && back !== undefined && descends(back.sample, sitting.sample);
  if (sitting !== undefined && !returns) return settled(sitting);
  const own = named(members, belief.name, belief.why);
  const member = members.find(({ name }) => name === belief.name);
  if (own.primary !== undefined || member === undefined) return own;
  const data = member.sample ?? (incumbent?.name === member.name ? incumbent.sample : undefined);
  const heirs = claimants.filter((other) => {
    if (data === undefined) return false;
    // A replica has its primary's history; before it has caught up, the one its primary continues.
    if (member.sample !== undefined) return sameData(other.sample, data) || data.follows === other.name;
    return descends(other.sample, data);
  });
  const [only] = heirs;
  if (only !== undefined && heirs.length === 1) return settled(only);
  const others = claimants.map(({ name }) => name).join(', ');
  return none(others === '' ? own.why : `${own.why}; ${others} says it is a primary, but not of its data`);
}

function asked(members: readonly Member[], why: string, incumbent: Incumbent | undefined): Verdict {
  const claimants = members.filter(claims);
  const [only] = claimants;
  if (only === undefined) return none(members.length === 0 ? why : nobodyClaims(members));
  if (claimants.length === 1) return sole(only, members, incumbent);
  const heir = claimants.find((one) =>
    claimants.every((other) => other === one || descends(one.sample, other.sample)),
  );
  if (heir !== undefined) return settled(heir);
  const sitting = claimants.find(
    ({ name, sample }) =>
      incumbent?.sitting === true && incumbent.name === name && incumbent.sample.runId === sample.runId,
  );
  const challenged = claimants.some(
    (other) => sitting !== undefined && descends(other.sample, sitting.sample),
  );
  if (sitting !== undefined && !challenged) return settled(sitting);
  const names = claimants.map(({ name }) => name).join(' and ');
  return none(`${names} say they are primaries, and nothing tells which: make one a replica of the other`);
}

/** A single server claims the role. It may be a stranger to the data whose primary is silent for a moment. */
function sole(only: Claimant, members: readonly Member[], incumbent: Incumbent | undefined): Verdict {
  const silent = members.filter(({ sample }) => sample === undefined);
  const claims = `${only.name} says it is a primary`;
  if (incumbent === undefined) {
    if (silent.some(({ asked }) => !asked)) return none(`${claims}, and not everybody has been asked yet`);
    const names = silent.map(({ name }) => name).join(', ');
    if (names !== '' && !confirmed(only, members)) {
      return none(`${claims}, but nobody confirms it, and ${names} may be one too and does not answer`);
    }
  } else if (silent.some(({ name }) => name === incumbent.name && name !== only.name)) {
    const { name, sample } = incumbent;
    const stranger = `${claims}, but not of the data of ${name}, which does not answer`;
    if (!sameData(only.sample, sample)) return none(stranger);
  }
  return settled(only);
}

/** Somebody follows it, or it was promoted out of another's history. */
function confirmed({ name, sample }: Claimant, members: readonly Member[]): boolean {
  if (sample.previousReplId !== undefined) return true;
  return members.some((other) => other.name !== name && other.sample?.replId === sample.replId);
}

/** It has the role but no data yet. */
function settled(claimant: Claimant): Verdict {
  return claimant.sample.loading === true
    ? none(`${claimant.name} is loading its data`)
    : { primary: claimant };
}

function none(why: string): Verdict & { primary: undefined } {
  return { primary: undefined, why };
}

function claims(member: Member): member is Claimant {
  return member.sample?.role === 'master';
}

/** Whether `heir` was promoted out of the history of `other`. */
function descends(heir: Sample, other: Sample): boolean {
  return heir.previousReplId !== undefined && heir.previousReplId === other.replId;
}

function sameData(one: Sample, other: Sample): boolean {
  return one.replId === other.replId || descends(one, other);
}

function itIsAReplica({ name, sample }: Claimant): string {
  return `${name} says it is a replica${sample.follows === undefined ? '' : ` of ${sample.follows}`}`;
}

function nobodyClaims(members: readonly Member[]): string {
  const silent = members.filter(({ sample }) => sample === undefined);
  const list = silent.map(({ name, why }) => `${name}: ${why}`).join('; ');
  return `no server says it is a primary${list === '' ? '' : ` (${list})`}`;
}
