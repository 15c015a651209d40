// Kills the primary under the app's hands, and shows what the app noticed.
//
//   node failover.mjs [COMMAND THAT RUNS OUTRIGGER]

import { openShop } from './app.mjs';
import { pause, elected, settled, startAmbassador, startRedis, startSentinel } from './servers.mjs';

/** How long the shop runs before the kill and after writes have resumed. */
const calmMs = 2_000;
/** A read that waits longer has not been served throughout: some 300 ms are usual, an election at most. */
const longestReadMs = 4_000;

/** Takes an order every few milliseconds. One that is answered with an error is taken again: the shop must not lose it. */
async function takeOrders(shop, seen, until) {
  for (let order = 1; !until(); order++) {
    for (;;) {
      try {
        await shop.take(order, `what ${order}`);
        seen.acknowledged.push({ order, at: performance.now() });
        break;
      } catch (error) {
        seen.refused.push(error.message);
      }
    }
    await pause(2);
  }
}

/** Looks at the newest orders all the time. */
async function showOrders(shop, seen, until) {
  let last = performance.now();
  while (!until()) {
    try {
      await shop.show(Math.max(1, seen.acknowledged.length - 10));
      seen.reads++;
    } catch (error) {
      seen.readErrors.push(error.message);
    }
    seen.longestReadMs = Math.max(seen.longestReadMs, performance.now() - last);
    last = performance.now();
    await pause(1);
  }
}

async function countLost(shop, acknowledged) {
  let lost = 0;
  for (const { order } of acknowledged) if ((await shop.show(order)) !== `what ${order}`) lost++;
  return lost;
}

async function show(outrigger) {
  const primary = await startRedis();
  for (let i = 0; i < 2; i++) await startRedis(primary.port);
  const sentinels = [];
  for (let i = 0; i < 3; i++) sentinels.push(await startSentinel(primary.port));
  await settled(sentinels);
  const ambassador = await startAmbassador(outrigger, sentinels);
  console.log(
    `The shop talks to ${ambassador.url}; http://${ambassador.admin}/metrics tells what becomes of it.`,
  );

  const [counter, window] = [await openShop(ambassador.url), await openShop(ambassador.url)];
  const seen = { acknowledged: [], refused: [], reads: 0, readErrors: [], longestReadMs: 0 };
  let closed = false;
  const open = Promise.all([takeOrders(counter, seen, () => closed), showOrders(window, seen, () => closed)]);
  await pause(calmMs);

  console.log('Killing the primary (kill -9) …');
  primary.kill();
  const killedAt = performance.now();
  await elected(sentinels, primary);
  const electedAt = performance.now();
  const resumed = () => seen.acknowledged.find(({ at }) => at > electedAt);
  while (resumed() === undefined) await pause(5);
  await pause(calmMs);
  closed = true;
  await open;

  const lost = await countLost(window, seen.acknowledged);
  await Promise.all([counter.close(), window.close()]);
  return { ...seen, lost, electionMs: electedAt - killedAt, pausedMs: longestPause(seen.acknowledged) };
}

/** Between two orders that were acknowledged one after the other. */
function longestPause(acknowledged) {
  return Math.max(...acknowledged.slice(1).map(({ at }, i) => at - acknowledged[i].at));
}

function table({
  reads,
  readErrors,
  longestReadMs: longest,
  acknowledged,
  refused,
  lost,
  electionMs,
  pausedMs,
}) {
  const rows = [
    ['reads', `${reads} answered, ${readErrors.length} failed; the longest took ${longest.toFixed(0)} ms`],
    [
      'writes',
      `${acknowledged.length} acknowledged, ${refused.length} answered with an error and sent again by the app`,
    ],
    ['writes paused', `${pausedMs.toFixed(0)} ms`],
    ['election', `${electionMs.toFixed(0)} ms from the kill until the first Sentinel named the new primary`],
    ['lost', `${lost} of ${acknowledged.length} acknowledged writes`],
  ];
  return rows.map(([what, result]) => `  ${what.padEnd(16)}${result}`).join('\n');
}

const given = process.argv.slice(2);
const result = await show(given.length === 0 ? ['outrigger'] : given);
console.log(table(result));
for (const error of new Set([...result.refused, ...result.readErrors])) console.log('  told:', error);
const served = result.readErrors.length === 0 && result.longestReadMs < longestReadMs;
process.exit(served && result.lost === 0 ? 0 : 1);
