/**
 * Comparing resourceVersions.
 *
 * They are decimal numbers of one sequence in every server there is (documented as comparable since Kubernetes 1.35).
 * Where one is not a number nothing can be said, and nothing is concluded.
 */

/** True when both are numbers and `a` is the smaller one. */
export function isOlder(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || !isNumber(a) || !isNumber(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}

function isNumber(revision: string): boolean {
  return /^(0|[1-9]\d*)$/.test(revision);
}
