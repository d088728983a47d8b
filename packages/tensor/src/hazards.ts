/**
 * Decides where a barrier is needed. Commands between two barriers may overlap in time, so a command must wait when it
 * reads what one of them writes, or writes what one of them reads or writes.
 */

/** A piece of memory. */
export interface Range {
  readonly address: number;
  readonly byteLength: number;
}

export class Hazards {
  readonly #reads = new Ranges();
  readonly #writes = new Ranges();
  #unknown = false;

  /** Registers a command by what it reads and writes. @returns whether a barrier must come before it */
  register(reads: readonly Range[], writes: readonly Range[]): boolean {
    const barrier = this.#unknown || this.#writes.meet(reads) || this.#writes.meet(writes) || this.#reads.meet(writes);
    if (barrier) this.clear();
    this.#reads.add(reads);
    this.#writes.add(writes);
    return barrier;
  }

  /** Whatever ran last may touch anything: the next command waits. */
  block(): void {
    this.#unknown = true;
  }

  clear(): void {
    this.#reads.clear();
    this.#writes.clear();
    this.#unknown = false;
  }
}

/** A list of ranges, as start, end, start, end… It keeps its memory when it is emptied. */
class Ranges {
  #bounds = new Float64Array(64);
  #length = 0;

  add(ranges: readonly Range[]): void {
    for (const { address, byteLength } of ranges) {
      if (this.#length === this.#bounds.length) {
        const grown = new Float64Array(this.#length * 2);
        grown.set(this.#bounds);
        this.#bounds = grown;
      }
      this.#bounds[this.#length++] = address;
      this.#bounds[this.#length++] = address + byteLength;
    }
  }

  meet(ranges: readonly Range[]): boolean {
    const bounds = this.#bounds;
    const length = this.#length;
    for (const { address, byteLength } of ranges)
      for (let i = 0; i < length; i += 2)
        if (address < bounds[i + 1]! && address + byteLength > bounds[i]!) return true;
    return false;
  }

  clear(): void {
    this.#length = 0;
  }
}
