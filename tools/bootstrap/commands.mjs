// The workspace's own programs, run from their TypeScript sources on the pinned Node.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { runChild } from './child.mjs';
import { root, setUp } from './setup.mjs';

const always = () => true;
const never = () => false;

/** Command name → its entry file, and whether, given its arguments, it needs the compiled kernels. */
export const commands = {
  gallop: { entry: 'apps/cli/src/main.ts', needsKernels: always },
  conformance: { entry: 'tools/conformance/src/main.ts', needsKernels: always },
  invariance: { entry: 'tools/conformance/src/invariance/main.ts', needsKernels: always },
  bench: { entry: 'tools/bench/src/main.ts', needsKernels: always },
  fuzz: { entry: 'tools/fuzz/src/main.ts', needsKernels: never },
  'models:fetch': { entry: 'tools/models/src/main.ts', needsKernels: never },
  check: {
    entry: 'tools/checks/src/main.ts',
    needsKernels: (args) => args.length === 0 || args.includes('packages'),
  },
};

/** npm runs scripts in the root folder; paths that a user types are meant from where the user stands. */
const userFolder = () => (process.cwd() === root ? (process.env.INIT_CWD ?? root) : process.cwd());

/** Sets up what is missing, then runs the command; resolves to its exit status. */
export const runCommand = (name, args) => {
  const command = commands[name];
  if (command === undefined) {
    throw new Error(`expected one of ${Object.keys(commands).join(', ')}; received ${name ?? 'nothing'}`);
  }
  const entry = path.join(root, command.entry);
  if (!existsSync(entry)) throw new Error(`expected ${command.entry}, which is missing from this checkout`);
  const { node, environment } = setUp({ kernels: command.needsKernels(args) });
  return runChild(node, ['--conditions=@gallop/source', entry, ...args], { cwd: userFolder(), env: environment });
};
