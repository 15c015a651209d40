import { openMemoryStore } from '../../src/store/index.ts';
import { storeContract } from './contract.ts';

storeContract('memory', (t, options) => {
  const store = openMemoryStore(options);
  t.teardown(() => store.close());
  return Promise.resolve(store);
});
