// A disk that remembers what was synced. A crash keeps that, and of the rest a prefix that is drawn: all (only the process
// died), some, or nothing (the machine died).

export class Disk {
  #records: Uint8Array[] = []
  #synced = 0

  /** Every record, synced or not, in the order of writing: what the process would read back now. */
  get records(): readonly Uint8Array[] {
    return this.#records
  }

  /** How many records survive any crash. */
  get synced(): number {
    return this.#synced
  }

  append(records: readonly Uint8Array[]): void {
    // Copies: a writer that reuses its buffer must not reach into the disk.
    for (const record of records) this.#records.push(record.slice())
  }

  /** A sync that began when there were `upTo` records has ended. */
  sync(upTo: number): void {
    this.#synced = Math.max(this.#synced, upTo)
  }

  /** Loses the unsynced tail but for its first `kept` records. What survives a crash survives all later ones: the next
   * start syncs its own record behind it. */
  crash(kept: number): void {
    this.#records = this.#records.slice(0, this.#synced + kept)
    this.#synced = this.#records.length
  }
}
