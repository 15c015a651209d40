import { openSqliteStore } from '../../src/store/index.ts';
import { storeContract } from './contract.ts';

storeContract('sqlite', async (t, options) => {
  const store = await openSqliteStore({ ...options, dir: t.testdir() });
  t.teardown(() => store.close());
  return store;
});
