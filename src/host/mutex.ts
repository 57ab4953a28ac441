// Mutual exclusion between the turns of an application, across its waits. A turn is what runs between the start of a handler and its
// end; whoever asks for a lock is known by it, as a thread would be. The same turn may take a lock again.

import { AsyncLocalStorage } from 'node:async_hooks'
import { assert, must } from '../base/assert.ts'
import { LockOrder } from './lock-order.ts'

/** It was not free in time, or too many wait for it already. The message names who holds it, and where. */
export class LockTimeoutError extends Error {
  override name = 'LockTimeoutError'
}

/** A lock that is held; `using` releases it. Releasing twice is once. */
export interface Hold extends Disposable {
  release(): void
}

/** What can be taken by a turn, and chained to a group lock. */
export interface Lock {
  /** Its place in the order of locks goes by this. */
  readonly kind: string
  acquire(): Promise<Hold>
}

export interface LockLimits {
  /** How long a turn waits for a lock. */
  readonly waitMs: number
  /** How many turns wait for one lock. */
  readonly waiters: number
}

/** A handler has 5 s for all it does, so a lock that isn't free by then is of no use to it. */
const lockLimits: LockLimits = { waitMs: 5_000, waiters: 1_000 }

interface Turn {
  readonly name: string
  /** The locks that it holds, in the order in which it took them. */
  readonly held: Mutex[]
}

interface Waiter {
  readonly turn: Turn
  readonly where: string
  readonly timer: NodeJS.Timeout
  give(hold: Hold): void
}

/** The locks of one application. */
export class Locks {
  readonly order = new LockOrder()
  readonly limits: LockLimits
  readonly #turns = new AsyncLocalStorage<Turn>()
  readonly #kinds = new Set<string>()

  constructor(limits: LockLimits = lockLimits) {
    this.limits = limits
  }

  /** Runs one turn. A lock that it forgets to release is released at its end. */
  async turn<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    const turn: Turn = { name, held: [] }
    try {
      return await this.#turns.run(turn, work)
    } finally {
      for (const mutex of [...turn.held].reverse()) mutex.releaseAll(turn)
    }
  }

  /** A resource of the application's own, which has that kind alone. */
  mutex(kind: string): Mutex {
    if (this.#kinds.has(kind))
      throw new TypeError(`there is a lock ${kind} already: give each resource a name of its own`)
    this.#kinds.add(kind)
    return new Mutex(this, kind)
  }

  /** The turn that asks. */
  get current(): Turn {
    const turn = this.#turns.getStore()
    if (turn === undefined)
      throw new TypeError('no turn is running: take locks inside a handler, or inside `locks.turn(...)`')
    return turn
  }
}

export class Mutex implements Lock {
  readonly kind: string
  readonly #locks: Locks
  readonly #waiters: Waiter[] = []
  #holder: { readonly turn: Turn; readonly where: string; depth: number } | null = null

  constructor(locks: Locks, kind: string) {
    this.#locks = locks
    this.kind = kind
  }

  /** Who holds it and who waits, with file and line. */
  get told(): string {
    const waits = this.#waiters.map(({ turn, where }) => `${turn.name} waits at ${where}`)
    const holds = this.#holder === null ? 'free' : `held by ${this.#holder.turn.name} since ${this.#holder.where}`
    return [`${this.kind}: ${holds}`, ...waits].join(', ')
  }

  /** In the order in which turns asked. Rejects with a LockOrderError or a LockTimeoutError. */
  async acquire(): Promise<Hold> {
    const turn = this.#locks.current
    const where = callerOf()
    if (this.#holder?.turn === turn) return this.#hold(this.#holder)
    const held = turn.held.map(({ kind }) => kind)
    this.#locks.order.check(held, this.kind, where)
    if (this.#holder === null) return this.#take(turn, where)
    const { waitMs, waiters } = this.#locks.limits
    if (this.#waiters.length >= waiters) throw new LockTimeoutError(`${waiters} turns wait already; ${this.told}`)
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        reject(new LockTimeoutError(`${turn.name} waited ${waitMs} ms at ${where}; ${this.told}`))
      }
      const waiter: Waiter = { turn, where, timer: setTimeout(late, waitMs), give: resolve }
      this.#waiters.push(waiter)
    })
  }

  /** A turn is over. */
  releaseAll(turn: Turn): void {
    if (this.#holder?.turn === turn) this.#pass(turn)
  }

  #take(turn: Turn, where: string): Hold {
    const holder = { turn, where, depth: 0 }
    this.#holder = holder
    turn.held.push(this)
    return this.#hold(holder)
  }

  #hold(holder: { readonly turn: Turn; depth: number }): Hold {
    holder.depth++
    let isReleased = false
    const release = (): void => {
      if (isReleased || this.#holder !== holder) return
      isReleased = true
      if (--holder.depth === 0) this.#pass(holder.turn)
    }
    return { release, [Symbol.dispose]: release }
  }

  #pass(turn: Turn): void {
    const place = turn.held.indexOf(this)
    assert(place >= 0, 'a turn knows what it holds')
    turn.held.splice(place, 1)
    this.#holder = null
    const next = this.#waiters.shift()
    if (next === undefined) return
    clearTimeout(next.timer)
    next.give(this.#take(next.turn, next.where))
  }
}

const HERE = /[/\\](?:mutex|group-lock|lock-order)\.(?:ts|js)/

/** File and line of the first caller outside of the locks. */
export function callerOf(): string {
  const lines = must(new Error('where').stack, 'an error has a stack').split('\n').slice(1)
  const line = lines.find((one) => /:\d+:\d+\)?$/.test(one) && !HERE.test(one)) ?? ''
  return /([^/\\(]+:\d+):\d+\)?$/.exec(line)?.[1] ?? 'an unknown place'
}
