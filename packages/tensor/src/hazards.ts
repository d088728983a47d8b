/**
 * Decides where a barrier is needed. Commands between two barriers may overlap in time, so a command must wait when it
 * reads what one of them writes, or writes what one of them reads or writes.
 */
export class Hazards {
  #reads: number[] = [];
  #writes: number[] = [];

  static #touches(ranges: number[], start: number, end: number): boolean {
    for (let i = 0; i < ranges.length; i += 2) if (start < ranges[i + 1]! && end > ranges[i]!) return true;
    return false;
  }

  /**
   * Registers a command by the address ranges it reads and writes, flattened as start, end, start, end…
   * @returns whether a barrier must come before it
   */
  register(reads: readonly number[], writes: readonly number[]): boolean {
    let barrier = false;
    for (let i = 0; i < reads.length && !barrier; i += 2)
      barrier = Hazards.#touches(this.#writes, reads[i]!, reads[i + 1]!);
    for (let i = 0; i < writes.length && !barrier; i += 2)
      barrier =
        Hazards.#touches(this.#writes, writes[i]!, writes[i + 1]!) ||
        Hazards.#touches(this.#reads, writes[i]!, writes[i + 1]!);
    if (barrier) this.clear();
    for (const value of reads) this.#reads.push(value);
    for (const value of writes) this.#writes.push(value);
    return barrier;
  }

  clear(): void {
    this.#reads = [];
    this.#writes = [];
  }
}
