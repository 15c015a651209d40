/**
 * The name syntaxes of the API. Each check answers what is wrong, one sentence per problem, so `[]` is a pass; the
 * sentences are meant to follow `Invalid value: "x": `.
 */

export type SyntaxCheck = (value: string) => string[];

const label1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const subdomain1123 = `${label1123}(\\.${label1123})*`;

const label1123Regex = whole(label1123);
const label1035Regex = whole(label1035);
const subdomain1123Regex = whole(subdomain1123);
const qualifiedRegex = whole(qualified);
const percentPath = /^([A-Za-z0-9/\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})+$/;

/** One part of a DNS name: Namespaces, port names, hostnames. At most 63 characters. */
export function dns1123Label(value: string): string[] {
  return [
    ...tooLong(value, 63),
    ...unless(
      label1123Regex.test(value),
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end " +
        `with an alphanumeric character (regex used for validation is '${label1123}')`,
    ),
  ];
}

/** A DNS name: the names of most objects. At most 253 characters. */
export function dns1123Subdomain(value: string): string[] {
  return [
    ...tooLong(value, 253),
    ...unless(
      subdomain1123Regex.test(value),
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start " +
        `and end with an alphanumeric character (regex used for validation is '${subdomain1123}')`,
    ),
  ];
}

/** A label that may not begin with a digit: Service names, which become host names and environment variables. */
export function dns1035Label(value: string): string[] {
  return [
    ...tooLong(value, 63),
    ...unless(
      label1035Regex.test(value),
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic " +
        `character, and end with an alphanumeric character (regex used for validation is '${label1035}')`,
    ),
  ];
}

/** `name` or `dns.prefix/name`: label keys, annotation keys, finalizers, application protocols. */
export function qualifiedName(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain " +
        "prefix and '/' (e.g. 'example.com/MyName')",
    ];
  }
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const problems: string[] = [];
  if (prefix === '') problems.push('prefix part must be non-empty');
  else if (prefix !== undefined)
    problems.push(...dns1123Subdomain(prefix).map((text) => `prefix part ${text}`));
  if (name === '') return [...problems, 'name part must be non-empty'];
  return [
    ...problems,
    ...tooLong(name, 63).map((text) => `name part ${text}`),
    ...unless(
      qualifiedRegex.test(name),
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
        `alphanumeric character (regex used for validation is '${qualified}')`,
    ),
  ];
}

/** The value of a label: like a name, but it may be empty. */
export function labelValue(value: string): string[] {
  return [
    ...tooLong(value, 63),
    ...unless(
      value === '' || qualifiedRegex.test(value),
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start " +
        `and end with an alphanumeric character (regex used for validation is '(${qualified})?')`,
    ),
  ];
}

/** An IANA service name (RFC 6335): named container ports and targetPorts. */
export function portName(value: string): string[] {
  return [
    ...unless(value.length <= 15, 'must be no more than 15 characters'),
    ...unless(
      /^[-a-z0-9]+$/.test(value),
      'must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)',
    ),
    ...unless(/[a-z]/.test(value), 'must contain at least one letter (a-z)'),
    ...unless(!value.includes('--'), 'must not contain consecutive hyphens'),
    ...unless(!value.startsWith('-') && !value.endsWith('-'), 'must not begin or end with a hyphen'),
  ];
}

/** A key of ConfigMap or Secret data, which becomes a file name. */
export function configKey(value: string): string[] {
  return [
    ...tooLong(value, 253),
    ...unless(
      /^[-._a-zA-Z0-9]+$/.test(value),
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' " +
        "(regex used for validation is '[-._a-zA-Z0-9]+')",
    ),
    ...unless(value !== '.', "must not be '.'"),
    ...unless(value !== '..', "must not be '..'"),
    ...unless(value === '..' || !value.startsWith('..'), "must not start with '..'"),
  ];
}

/** What the name of any object must be, so that it can stand in a URL path. */
export function pathSegmentName(value: string): string[] {
  return [
    ...unless(value !== '.', "may not be '.'"),
    ...unless(value !== '..', "may not be '..'"),
    ...unless(!value.includes('/'), "may not contain '/'"),
    ...unless(!value.includes('%'), "may not contain '%'"),
  ];
}

/** An absolute HTTP path with an optional query, for probes. */
export function httpPath(value: string): string[] {
  const path = value.split('?')[0] ?? '';
  return unless(
    value.startsWith('/') && percentPath.test(path),
    "must be an absolute path that begins with '/'",
  );
}

export function portNumber(value: number): string[] {
  return unless(
    Number.isInteger(value) && value >= 1 && value <= 65_535,
    'must be between 1 and 65535, inclusive',
  );
}

/** The checks that a schema may name in `syntax`. */
export const syntaxes: ReadonlyMap<string, SyntaxCheck> = new Map([
  ['dns1123Label', dns1123Label],
  ['dns1123Subdomain', dns1123Subdomain],
  ['dns1035Label', dns1035Label],
  ['qualifiedName', qualifiedName],
  ['portName', portName],
]);

function tooLong(value: string, max: number): string[] {
  return unless(value.length <= max, `must be no more than ${max} characters`);
}

function unless(ok: boolean, problem: string): string[] {
  return ok ? [] : [problem];
}

function whole(pattern: string): RegExp {
  return new RegExp(`^(${pattern})$`);
}
