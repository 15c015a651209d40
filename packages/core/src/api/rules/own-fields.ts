/** Rules that several of Outrigger's own kinds share: addresses, durations, where passwords come from. */

import { parseDuration } from '../duration.ts';
import { parseAddress, parseTarget } from '../../net/address.ts';
import { describeError } from '../../errors/index.ts';
import type { SecretSource } from '../kinds/daemon.ts';
import { child, forbidden, invalid, required } from '../problems.ts';
import type { FieldError } from '../schema.ts';

/** Exactly one place to read a password from. */
export function validateSecretSource(source: SecretSource | undefined, path: string): FieldError[] {
  if (source === undefined) return [];
  const given = (['file', 'env', 'secret'] as const).filter((field) => source[field] !== undefined);
  if (given.length === 0) return [required(path, 'one of `file`, `env` or `secret`')];
  const errors = given
    .slice(1)
    .map((field) => forbidden(child(path, field), `may not be set together with \`${given[0]}\``));
  if (source.secret !== undefined && !/^[^/\s]+\/[^/\s]+$/.test(source.secret)) {
    errors.push(invalid(child(path, 'secret'), source.secret, 'must be NAME/KEY of a Secret'));
  }
  return errors;
}

export function validateListen(address: string | undefined, path: string): FieldError[] {
  return address === undefined ? [] : addressErrors(address, path, parseAddress);
}

export function validateServer(address: string, path: string): FieldError[] {
  return addressErrors(address, path, parseTarget);
}

export function positive(duration: string, path: string): FieldError[] {
  return ms(duration) > 0 ? [] : [invalid(path, duration, 'must be greater than 0s')];
}

/** The structure has been checked: what is no duration has been refused already. */
export function ms(duration: string): number {
  return parseDuration(duration) ?? 0;
}

function addressErrors(address: string, path: string, parse: (text: string) => unknown): FieldError[] {
  try {
    parse(address);
    return [];
  } catch (error) {
    return [invalid(path, address, describeError(error))];
  }
}
