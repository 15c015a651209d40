/** Rules of EndpointSlices and Endpoints: which addresses and ports can be published as backends. */

import { ipFamily, ipProblems, specialIPProblems } from '../ip.ts';
import { dns1123Label, dns1123Subdomain } from '../names.ts';
import { validateLabels } from '../metadata.ts';
import { duplicate, fieldImmutable, invalid, invalidBy, item, required, tooMany } from '../problems.ts';
import type { FieldError, ValidationOptions } from '../schema.ts';
import type { EndpointAddress, Endpoints, EndpointsPort, EndpointSubset } from '../kinds/endpoints.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../kinds/endpointslice.ts';
import { PortNames, repeated, validateAppProtocol, validatePortNumber } from './ports.ts';

export const maxEndpointsPerSlice = 1_000;
export const maxAddressesPerEndpoint = 100;
/** 100 in older servers. */
export const maxPortsPerSlice = 20_000;
const maxHints = 8;
const maxTopologyLabels = 16;

export function validateEndpointSlice(
  slice: EndpointSlice,
  old: EndpointSlice | undefined,
  options: ValidationOptions,
): FieldError[] {
  const changed = old !== undefined && old.addressType !== slice.addressType;
  return [
    ...(changed ? [invalid('addressType', slice.addressType, fieldImmutable)] : []),
    ...validateList(slice.endpoints ?? [], 'endpoints', maxEndpointsPerSlice, (endpoint, path) =>
      validateEndpoint(endpoint, slice.addressType, path, options),
    ),
    ...validateSlicePorts(slice.ports ?? []),
  ];
}

export function validateEndpoints(
  endpoints: Endpoints,
  _old: Endpoints | undefined,
  options: ValidationOptions,
): FieldError[] {
  return (endpoints.subsets ?? []).flatMap((subset, index) =>
    validateSubset(subset, item('subsets', index), options),
  );
}

function validateEndpoint(
  endpoint: Endpoint,
  type: EndpointSlice['addressType'],
  path: string,
  options: ValidationOptions,
): FieldError[] {
  const { addresses, hostname, nodeName, deprecatedTopology } = endpoint;
  const topology = Object.keys(deprecatedTopology ?? {}).length;
  return [
    ...(addresses.length === 0 ? [required(`${path}.addresses`, 'must contain at least 1 address')] : []),
    ...validateList(addresses, `${path}.addresses`, maxAddressesPerEndpoint, (address, at) =>
      invalidBy(at, address, addressProblems(address, type, options)),
    ),
    ...(hostname === undefined ? [] : invalidBy(`${path}.hostname`, hostname, dns1123Label(hostname))),
    ...(nodeName === undefined ? [] : invalidBy(`${path}.nodeName`, nodeName, dns1123Subdomain(nodeName))),
    ...(topology > maxTopologyLabels
      ? [tooMany(`${path}.deprecatedTopology`, topology, maxTopologyLabels)]
      : []),
    ...validateLabels(deprecatedTopology ?? {}, `${path}.deprecatedTopology`),
    ...validateHints(endpoint.hints?.forZones ?? [], `${path}.hints.forZones`),
    ...validateHints(endpoint.hints?.forNodes ?? [], `${path}.hints.forNodes`),
  ];
}

function addressProblems(
  address: string,
  type: EndpointSlice['addressType'],
  options: ValidationOptions,
): string[] {
  if (type === 'FQDN') return dns1123Subdomain(address.replace(/\.$/, ''));
  const problems = ipProblems(address);
  if (problems.length > 0) return problems;
  if (ipFamily(address) !== type) return [`must be an ${type} address`];
  return specialIPProblems(address, options.allowLoopbackEndpoints);
}

function validateHints(hints: readonly { name: string }[], path: string): FieldError[] {
  if (hints.length > maxHints) return [tooMany(path, hints.length, maxHints)];
  return [
    ...hints.flatMap(({ name }, index) =>
      invalidBy(`${item(path, index)}.name`, name, dns1123Subdomain(name)),
    ),
    ...repeated(hints, ({ name }) => name).map((index) =>
      duplicate(`${item(path, index)}.name`, hints[index]?.name),
    ),
  ];
}

/** A port without a name is the port named '', of which there can be one. */
function validateSlicePorts(ports: readonly EndpointPort[]): FieldError[] {
  const unnamed = repeated(ports, ({ name }) => (name ? undefined : ''));
  const names = new PortNames(false);
  return [
    ...validateList(ports, 'ports', maxPortsPerSlice, (port, path) => [
      ...names.check(port.name, `${path}.name`),
      ...(port.port === undefined ? [] : validatePortNumber(port.port, `${path}.port`)),
      ...validateAppProtocol(port.appProtocol, `${path}.appProtocol`),
    ]),
    ...unnamed.map((index) => duplicate(`${item('ports', index)}.name`, '')),
  ];
}

function validateSubset(subset: EndpointSubset, path: string, options: ValidationOptions): FieldError[] {
  const addresses = subset.addresses ?? [];
  const notReady = subset.notReadyAddresses ?? [];
  const ports = subset.ports ?? [];
  const names = new PortNames(ports.length > 1);
  const empty = addresses.length + notReady.length === 0;
  return [
    ...(empty ? [required(path, 'must specify `addresses` or `notReadyAddresses`')] : []),
    ...addresses.flatMap((entry, index) => validateAddress(entry, item(`${path}.addresses`, index), options)),
    ...notReady.flatMap((entry, index) =>
      validateAddress(entry, item(`${path}.notReadyAddresses`, index), options),
    ),
    ...ports.flatMap((port, index) => validateEndpointsPort(port, names, item(`${path}.ports`, index))),
  ];
}

function validateAddress(address: EndpointAddress, path: string, options: ValidationOptions): FieldError[] {
  const { ip, hostname, nodeName } = address;
  const special = specialIPProblems(ip, options.allowLoopbackEndpoints);
  return [
    ...invalidBy(`${path}.ip`, ip, [...ipProblems(ip), ...special]),
    ...(hostname === undefined ? [] : invalidBy(`${path}.hostname`, hostname, dns1123Label(hostname))),
    ...(nodeName === undefined ? [] : invalidBy(`${path}.nodeName`, nodeName, dns1123Subdomain(nodeName))),
  ];
}

function validateEndpointsPort(port: EndpointsPort, names: PortNames, path: string): FieldError[] {
  return [
    ...names.check(port.name, `${path}.name`),
    ...validatePortNumber(port.port, `${path}.port`),
    ...validateAppProtocol(port.appProtocol, `${path}.appProtocol`),
  ];
}

function validateList<T>(
  entries: readonly T[],
  path: string,
  max: number,
  validate: (entry: T, path: string) => FieldError[],
): FieldError[] {
  if (entries.length > max) return [tooMany(path, entries.length, max)];
  return entries.flatMap((entry, index) => validate(entry, item(path, index)));
}
