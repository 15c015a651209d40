/** Rules of a Service's virtual addresses: clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy together. */

import { ipFamily, ipProblems } from '../ip.ts';
import { duplicate, invalid, invalidBy, item, required } from '../problems.ts';
import type { FieldError } from '../schema.ts';
import type { ServiceSpec } from '../kinds/service.ts';
import { headless, isHeadless } from './service-shape.ts';
import { repeated } from './ports.ts';

const path = 'spec.clusterIPs';

export function validateClusterIPs(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const ips = spec.clusterIPs ?? [];
  const families = spec.ipFamilies ?? [];
  const errors = [
    ...validatePairing(spec.clusterIP ?? '', ips),
    ...repeated(families, (family) => family).map((index) =>
      duplicate(item('spec.ipFamilies', index), families[index]),
    ),
  ];
  const syntax = validateEach(ips);
  if (ips.length > 2) syntax.push(invalid(path, ips, 'may only hold up to 2 values'));
  // Families of addresses that are no addresses would only add misleading errors.
  if (errors.length + syntax.length > 0) return [...errors, ...syntax];
  return [...validateDualStack(ips), ...(isHeadless(spec) ? [] : validateFamilies(ips, families))];
}

function validatePairing(ip: string, ips: readonly string[]): FieldError[] {
  if (ip === '') {
    return ips.length === 0 ? [] : [invalid(path, ips, 'must be empty when `clusterIP` is not specified')];
  }
  if (ips.length === 0) return [required(path)];
  return ips[0] === ip ? [] : [invalid(path, ips, 'first value must match `clusterIP`')];
}

function validateEach(ips: readonly string[]): FieldError[] {
  return ips.flatMap((ip, index) => {
    if (ip === headless && index === 0) {
      return ips.length === 1 ? [] : [invalid(path, ips, "'None' must be the first and only value")];
    }
    return invalidBy(item(path, index), ip, ipProblems(ip));
  });
}

function validateDualStack(ips: readonly string[]): FieldError[] {
  const families = ips.map(ipFamily);
  if (ips.length < 2 || new Set(families).size === ips.length) return [];
  return [invalid(path, ips, 'may specify no more than one IP for each IP family')];
}

function validateFamilies(ips: readonly string[], families: readonly string[]): FieldError[] {
  return ips.flatMap((ip, index) => {
    const family = families[index];
    if (family === undefined || ipFamily(ip) === family) return [];
    return [
      invalid(item(path, index), ip, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``),
    ];
  });
}
