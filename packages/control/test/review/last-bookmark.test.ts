/** Short watches get their last bookmark too: the next one starts from there instead of from long ago. */

import { test } from 'tap';
import { startControl } from '../harness.ts';

test('a watch shorter than the time between bookmarks gets one before it ends', async (t) => {
  const control = await startControl(t);
  const configMaps = '/api/v1/namespaces/default/configmaps';
  const { resourceVersion } = (await control.get(configMaps)).body.metadata;
  const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion=${resourceVersion}`;
  const watch = await control.watch(`${configMaps}?${query}`);
  const elsewhere = { metadata: { name: 'elsewhere' } };
  const { body } = await control.post('/api/v1/namespaces/kube-system/configmaps', elsewhere);
  t.match(await watch.next(), {
    type: 'BOOKMARK',
    object: { kind: 'ConfigMap', metadata: { resourceVersion: body.metadata.resourceVersion } },
  });
  t.same(await watch.ended(), []);
});
