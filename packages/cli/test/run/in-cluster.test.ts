import { test } from 'tap';
import { inClusterAddress } from '../../src/run/in-cluster.ts';

test('a pod’s API server is named by the variables of its Service, IPv6 in brackets', (t) => {
  t.equal(inClusterAddress({}), undefined);
  t.equal(inClusterAddress({ KUBERNETES_SERVICE_HOST: '10.96.0.1' }), '10.96.0.1:443');
  t.equal(
    inClusterAddress({ KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '6443' }),
    '10.96.0.1:6443',
  );
  t.equal(
    inClusterAddress({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT_HTTPS: '443' }),
    '[fd00::1]:443',
  );
  t.end();
});
