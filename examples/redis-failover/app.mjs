// A shop that keeps its orders in Redis. All it knows is an address: no replicas, no Sentinel, no failover.
//
//   node app.mjs redis://127.0.0.1:6390

import { fileURLToPath } from 'node:url';
import { createClient } from 'redis';

export async function openShop(url) {
  const redis = createClient({ url });
  // Without a listener a broken connection would end the process; node-redis connects again by itself.
  redis.on('error', (error) => console.error(`redis: ${error.message}`));
  await redis.connect();
  return {
    /** Resolves when Redis has acknowledged the order. */
    take: (order, what) => redis.set(`order:${order}`, what),
    show: (order) => redis.get(`order:${order}`),
    close: () => redis.close(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const shop = await openShop(process.argv[2] ?? 'redis://127.0.0.1:6390');
  for (let order = 1; ; order++) {
    try {
      await shop.take(order, `order ${order}, taken at ${new Date().toISOString()}`);
      console.log(await shop.show(order));
    } catch (error) {
      console.log(`order ${order}: ${error.message}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
