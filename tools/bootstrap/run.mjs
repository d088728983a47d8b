// `node tools/bootstrap/run.mjs COMMAND ARGS`: sets up what is missing and runs one of the workspace's programs.

import { runAsProgram } from './child.mjs';
import { runCommand } from './commands.mjs';

const [name, ...args] = process.argv.slice(2);
await runAsProgram(() => runCommand(name, args));
