// A lock for all that belongs together (PJSIP's group lock), for what an application keeps of a call outside of its session: the set
// itself holds no lock across a wait (docs/LOCKING.md).
//
// - Mutual exclusion: one turn at a time, with the resources that are *chained* to it. They are taken with it, in the order of their
//   positions: those below 0 before the group, those above after it.
// - Lifetime: it lives until its last reference is released. Then the destroy handlers run, once, and whoever comes later is told.
// - Debugging: `dump` has who holds it, who waits and who has references, each with file and line.

import { callerOf } from './mutex.ts'
import type { Hold, Lock, Locks } from './mutex.ts'
import { Mutex } from './mutex.ts'

/** The last reference was released: what it stood for is gone. */
export class GoneError extends Error {
  override name = 'GoneError'
}

/** Keeps a group alive; `using` releases it. */
export interface Reference extends Disposable {
  release(): void
}

/** What a section that changes something may give back: anything but a promise, so that nothing waits in it. */
type Settled<T> = T extends PromiseLike<unknown> ? never : T

export class GroupLock implements Lock {
  readonly kind: string
  readonly name: string
  readonly #own: Mutex
  /** By position. */
  readonly #chain: { readonly lock: Lock; readonly position: number }[] = []
  /** Where each reference was taken. */
  readonly #references = new Map<Reference, string>()
  readonly #handlers = new Map<string, () => void>()
  #isGone = false

  /** With one reference, the maker's. `kind`: what it is a lock of; its place in the order of locks goes by that. */
  static create(
    locks: Locks,
    kind: string,
    name: string,
  ): { readonly group: GroupLock; readonly reference: Reference } {
    const group = new GroupLock(locks, kind, name)
    return { group, reference: group.reference() }
  }

  private constructor(locks: Locks, kind: string, name: string) {
    this.kind = kind
    this.name = name
    this.#own = new Mutex(locks, kind)
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** Takes all of it, in order; the hold is a reference as well. Rejects as `Mutex.acquire` does, and with a GoneError. */
  async acquire(): Promise<Hold> {
    const reference = this.reference()
    const holds: Hold[] = []
    const release = (): void => {
      for (const hold of holds.splice(0).reverse()) hold.release()
      reference.release()
    }
    try {
      for (const lock of this.#locksInOrder()) holds.push(await lock.acquire())
    } catch (error) {
      release()
      throw error
    }
    return { release, [Symbol.dispose]: release }
  }

  /** Changes something while all of it is held. Nothing can wait in `section`: it gives no promise, which the type says and is checked. */
  async modify<T>(section: () => Settled<T>): Promise<T> {
    using _hold = await this.acquire()
    const result: unknown = section()
    if (isPromise(result)) {
      throw new TypeError(
        'a section that modifies must not wait: read what it needs before, and start what takes long after it',
      )
    }
    return result as T
  }

  /** Throws a GoneError once it is too late. */
  reference(): Reference {
    if (this.#isGone) throw new GoneError(`${this.kind} ${this.name} is gone: look it up again`)
    const release = (): void => {
      if (this.#references.delete(reference) && this.#references.size === 0) this.#destroy()
    }
    const reference: Reference = { release, [Symbol.dispose]: release }
    this.#references.set(reference, callerOf())
    return reference
  }

  /** A member joins: it is told when all are to go, in the order in which they joined. */
  addHandler(member: string, destroy: () => void): void {
    if (this.#isGone) throw new GoneError(`${this.kind} ${this.name} is gone: nobody can join it`)
    if (this.#handlers.has(member)) throw new TypeError(`${member} has joined already`)
    this.#handlers.set(member, destroy)
  }

  /** A member leaves early. */
  removeHandler(member: string): void {
    this.#handlers.delete(member)
  }

  /** `position`: not 0, which is the group's own, and nobody else's. Not while anybody may hold it: chain before it is shared. */
  chain(lock: Lock, position: number): void {
    if (!Number.isInteger(position) || position === 0) throw new TypeError('a position is an integer other than 0')
    const other = this.#chain.find((one) => one.position === position || one.lock === lock)
    if (other !== undefined)
      throw new TypeError(`${other.lock.kind} is chained at ${other.position}: choose another position`)
    this.#chain.push({ lock, position })
    this.#chain.sort((a, b) => a.position - b.position)
  }

  unchain(lock: Lock): void {
    const place = this.#chain.findIndex((one) => one.lock === lock)
    if (place >= 0) this.#chain.splice(place, 1)
  }

  /** A line for the lock and one for each reference. */
  dump(): string {
    if (this.#isGone) return `${this.kind} ${this.name}: gone`
    const chained = this.#locksInOrder().map(({ kind }) => kind)
    const references = [...this.#references.values()].map((where) => `  a reference since ${where}`)
    return [`${this.kind} ${this.name} (${chained.join(', ')}): ${this.#own.told}`, ...references].join('\n')
  }

  #locksInOrder(): readonly Lock[] {
    const before = this.#chain.filter(({ position }) => position < 0)
    const after = this.#chain.filter(({ position }) => position > 0)
    return [...before.map(({ lock }) => lock), this.#own, ...after.map(({ lock }) => lock)]
  }

  /** Every handler runs, whatever another one throws. */
  #destroy(): void {
    this.#isGone = true
    const errors: unknown[] = []
    for (const destroy of this.#handlers.values()) {
      try {
        destroy()
      } catch (error) {
        errors.push(error)
      }
    }
    this.#handlers.clear()
    if (errors.length > 0) throw new AggregateError(errors, `destroy handlers of ${this.kind} ${this.name} failed`)
  }
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
