/** The command line of `outrigger register`. */

import { helpLines, loadConfig, processFields } from '@outrigger/core/config';
import { processDeps } from '../run/deps.ts';
import { inClusterAddress } from '../run/in-cluster.ts';
import { registerChecks, registerSchema } from './config.ts';
import { runRegister } from './run.ts';

const schema = { ...registerSchema, fields: { ...processFields, ...registerSchema.fields } };

export async function register(args: readonly string[]): Promise<number> {
  const end = args.indexOf('--');
  const own = end === -1 ? args : args.slice(0, end);
  if (own.includes('--help') || own.includes('-h')) {
    process.stdout.write(help());
    return 0;
  }
  const { values, rest } = loadConfig({ schema, args, environment: process.env, checks: registerChecks });
  const where = values['inCluster'] === true ? { inClusterAddress: inClusterAddress(process.env) } : {};
  return runRegister({ ...values, ...where }, rest, processDeps('register', values));
}

function help(): string {
  const lines = helpLines(schema).map(([flag, text]) => `  ${flag.padEnd(34)} ${text}`);
  return `usage: outrigger register --service NS/NAME --ports N[:NAME] … --address IP [FLAGS] -- COMMAND …\n\n${lines.join('\n')}\n`;
}
