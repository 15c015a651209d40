#!/usr/bin/env node
/** The process's entry: the only file that reads `process.argv` and ends the process. */

import { runCommand } from './command.ts';

// Timers of the clock keep no process alive; what a command still waits for when all sockets are closed does.
setInterval(() => {}, 0x7fff_ffff);
process.exitCode = await runCommand(process.argv.slice(2));
// Handles of libraries must not keep a finished process; everything of ours is closed and both streams are flushed.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));
