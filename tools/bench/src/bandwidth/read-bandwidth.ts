/**
 * The machine's read bandwidth, measured by a small C program that is compiled when it is needed: decoding reads all
 * weights for each token, so this is its ceiling. Without a C compiler it is unknown.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Bytes a second, or why they are unknown. */
export type ReadBandwidth = { readonly bytesPerSecond: number } | { readonly missing: string };

/** Larger than any cache; threads share it. */
const MEBIBYTES = 512;
const PASSES = 4;

const compilers = (): readonly string[] => (process.env.CC ? [process.env.CC] : ['cc', 'gcc', 'clang']);

/** Compiles the program once and measures as often as wanted, a fraction of a second each. */
export class BandwidthMeter {
  readonly #folder: string = mkdtempSync(path.join(tmpdir(), 'gallop-bandwidth-'));
  readonly #program: string = path.join(this.#folder, 'read-bandwidth');
  readonly #missing: string | undefined = this.#compile();
  #best: ReadBandwidth | undefined;

  /** The highest of all measurements, which is what the memory can do; unknown before the first. */
  get best(): ReadBandwidth | undefined {
    return this.#best;
  }

  /** Measures how fast `threads` threads read memory in a row. */
  measure(threads: number): void {
    const measured = this.#missing === undefined ? this.#run(threads) : { missing: this.#missing };
    const earlier = this.#best !== undefined && 'bytesPerSecond' in this.#best ? this.#best.bytesPerSecond : 0;
    if (!('bytesPerSecond' in measured)) this.#best ??= measured;
    else if (measured.bytesPerSecond > earlier) this.#best = measured;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }

  #compile(): string | undefined {
    const names = compilers();
    const compiler = names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
    if (compiler === undefined) return `no C compiler was found (${names.join(', ')}; CC names another)`;
    const source = fileURLToPath(new URL('./read-bandwidth.c', import.meta.url));
    const args = ['-O3', '-march=native', '-pthread', source, '-o', this.#program];
    const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
    return status === 0 ? undefined : `${compiler} failed: ${stderr?.trim().split('\n')[0] ?? ''}`;
  }

  #run(threads: number): ReadBandwidth {
    const args = [String(threads), String(MEBIBYTES), String(PASSES)];
    const { status, stdout } = spawnSync(this.#program, args, { encoding: 'utf8' });
    const bytesPerSecond = Number(stdout?.split(' ')[0]);
    return status === 0 && bytesPerSecond > 0
      ? { bytesPerSecond }
      : { missing: `the reader ended with status ${status}` };
  }
}
