/** Where a source is asked, as written: one address, or a Service whose endpoints are asked each by itself. Pure. */

import { OutriggerError } from '@outrigger/core/errors';
import { formatAddress, parseTarget } from '@outrigger/core/net';
import type { ServiceTarget } from '@outrigger/core/net';
import type { ServiceEndpoint } from '@outrigger/core/watch';
import type { Place } from '../sources/source.ts';

export type Where =
  | { readonly kind: 'place'; readonly place: Place }
  | {
      readonly kind: 'service';
      readonly target: ServiceTarget;
      readonly placeOf: (endpoint: ServiceEndpoint) => Place;
    };

/** `svc:` stands where a URL has its host; without a scheme it is http. */
const serviceUrl = /^(https?:\/\/|rediss?:\/\/)?(svc:[^/]*\/[^/?#]+)(.*)$/;

/**
 * `URL`, `HOST:PORT`, or one of them with `svc:NAMESPACE/NAME[:PORT]` for the host:
 * `http://svc:default/web:metrics/metrics`, `svc:default/redis`. Throws ADDRESS_INVALID.
 */
export function whereOf(text: string): Where {
  const match = serviceUrl.exec(text);
  if (match === null) return { kind: 'place', place: { address: text, labels: {} } };
  const [, scheme = '', service = '', rest = ''] = match;
  const target = parseTarget(service);
  if (target.kind !== 'service') {
    throw new OutriggerError(`${JSON.stringify(text)} names no Service`, {
      code: 'ADDRESS_INVALID',
      target: text,
      hint: 'want svc:NAMESPACE/NAME[:PORT], after a scheme and before a path if there are any',
    });
  }
  const whole = scheme !== '' || rest !== '';
  return {
    kind: 'service',
    target,
    placeOf: (endpoint) => {
      const { address, port, pod, node, namespace } = endpoint;
      const host = formatAddress({ kind: 'tcp', host: address, port });
      return {
        address: whole ? `${scheme || 'http://'}${host}${rest}` : host,
        labels: { namespace, ...(pod === undefined ? {} : { pod }), ...(node === undefined ? {} : { node }) },
      };
    },
  };
}
