import { test } from 'tap';
import { Phase } from '../../src/observe/names.ts';
import { phaseOf } from '../../src/observe/phase.ts';

test('what failed tells what was being done', (t) => {
  const phase = (why: string, was: 'opening' | 'open', error?: string) => phaseOf({ why, error }, was);
  t.equal(phase('ECONNREFUSED', 'opening'), Phase.dial);
  t.equal(phase('ETIMEDOUT', 'opening'), Phase.dial);
  t.equal(phase('DEPTH_ZERO_SELF_SIGNED_CERT', 'opening'), Phase.tls);
  t.equal(phase('ERR_TLS_CERT_ALTNAME_INVALID', 'opening'), Phase.tls);
  t.equal(phase('it refused our login: WRONGPASS …', 'opening', 'WRONGPASS …'), Phase.login);
  t.equal(phase('ECONNRESET', 'open'), Phase.open);
  t.equal(phase('it sent an answer nobody asked for', 'open'), Phase.breached);
  t.equal(phase('it does not speak RESP: malformed', 'opening'), Phase.breached);
  t.end();
});
