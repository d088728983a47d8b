// `node tools/bootstrap/run.mjs COMMAND ARGS`: sets up what is missing and runs one of the workspace's programs.

import { runAsProgram } from './child.mjs';
import { runCommand } from './commands.mjs';

const [name, ...args] = process.argv.slice(2);
// npm removes the `--` between a script and its arguments, pnpm passes it on.
await runAsProgram(() => runCommand(name, args[0] === '--' ? args.slice(1) : args));
