// The order in which locks are taken, learned as they are: a lock that is taken while another one is held comes after it, for good.
// Taking them the other way round is refused at once, whether or not anybody waits at that moment. So two turns never wait for each
// other: a deadlock needs both orders, and the second one is refused before it waits (what Linux calls lockdep).
//
// Locks are told apart by *kind*: all calls' group locks are one kind, or the order would have to be learned for each call anew. Two of
// one kind have no order, so a turn holds one of them at most.

/** A lock was to be taken in an order that can end in a deadlock, or two of one kind. The message says what to do. */
export class LockOrderError extends Error {
  override name = 'LockOrderError'
}

export class LockOrder {
  /** For each kind those that were taken while it was held, and where in the source that was first. */
  readonly #after = new Map<string, Map<string, string>>()

  /** Notes that `next` is taken at `where` while `held` are. Throws if it may not be; then nothing is noted. */
  check(held: readonly string[], next: string, where: string): void {
    for (const kind of held) {
      if (kind === next) {
        throw new LockOrderError(
          `a second ${next} at ${where}: a turn holds one ${next} at a time; release the first one`,
        )
      }
      const way = this.#way(next, kind)
      if (way === null) continue
      const told = way.map(({ from, to, at }) => `${to} after ${from} at ${at}`).join(', ')
      throw new LockOrderError(
        `${next} after ${kind} at ${where}, but ${told}: take ${next} first, or chain it to the group lock, which takes both in order`,
      )
    }
    for (const kind of held) {
      const after = this.#after.get(kind) ?? new Map<string, string>()
      this.#after.set(kind, after)
      if (!after.has(next)) after.set(next, where)
    }
  }

  /** How `to` is known to come after `from`; null = it isn't. */
  #way(from: string, to: string): readonly { from: string; to: string; at: string }[] | null {
    const seen = new Set([from])
    const open: { kind: string; way: readonly { from: string; to: string; at: string }[] }[] = [{ kind: from, way: [] }]
    for (let at = open.shift(); at !== undefined; at = open.shift()) {
      const { kind, way } = at
      if (kind === to) return way
      for (const [next, where] of this.#after.get(kind) ?? []) {
        if (seen.has(next)) continue
        seen.add(next)
        open.push({ kind: next, way: [...way, { from: kind, to: next, at: where }] })
      }
    }
    return null
  }
}
