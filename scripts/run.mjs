/**
 * What every npm script starts: sets up whatever is missing, then runs the task with the pinned Node.
 *
 * Only this file must be readable by an old Node (so that it can say what it lacks), and everything it imports runs on
 * Node 18 without a single npm package, because there is none yet on a fresh clone.
 */

const LOWEST_NODE = 18;

if (Number(process.versions.node.split('.')[0]) < LOWEST_NODE) {
  console.error(
    `Outrigger's set-up needs Node ${LOWEST_NODE} or newer, this is ${process.version}. Install nodejs and npm ` +
      '(Debian 12, Ubuntu 24.04 and newer have it: apt-get install nodejs npm); the Node that runs Outrigger is then set up by itself.',
  );
  process.exit(1);
}

import('./tasks.mjs').then(
  (tasks) => tasks.runTask(process.argv[2], process.argv.slice(3)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
