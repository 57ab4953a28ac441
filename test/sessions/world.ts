// Owners around one log, and an application's session in it. fast-check's scheduler decides what happens next: which proposal reaches the
// log, which replica applies its next entry, when somebody asks for something, when the clock goes on, when the owner changes.

import type { Scheduler } from 'fast-check'
import { assert, unreachable } from '../../src/base/assert.ts'
import { groupKey, index, life, replicaId } from '../../src/base/brand.ts'
import { stamp } from '../../src/base/instant.ts'
import type { Stamp } from '../../src/base/instant.ts'
import { Turn } from '../../src/call/turn.ts'
import { viewOf } from '../../src/app/view.ts'
import { Store } from '../../src/store/store.ts'
import type { Entry, EntryBody } from '../../src/wire/entry.ts'
import { UNIT } from './application.ts'
import type { Act, Habits, Label } from './application.ts'
import { Judge } from './judge.ts'
import { Owner } from './owner.ts'

export type Event =
  | { readonly kind: 'act'; readonly act: Exclude<Act, { kind: 'intent' | 'put' | 'open' }> }
  /** Somebody reads at a replica, and puts what comes of it later, at the owner. */
  | { readonly kind: 'read and put'; readonly replica: number }
  | { readonly kind: 'pulse'; readonly later: number }
  /** A replica is taken out of serving, or admitted again. */
  | { readonly kind: 'toggle'; readonly replica: number }

export interface Scenario {
  readonly habits: Habits
  readonly events: readonly Event[]
  /** How far the replicas' estimates of cluster time are off, in microseconds. */
  readonly skews: readonly number[]
}

const GROUP = groupKey('00000000000000cd')

export async function findingsOf(scenario: Scenario, scheduler: Scheduler): Promise<Judge['findings']> {
  const world = new World(scenario, scheduler)
  await world.run()
  return world.judge.findings
}

class World {
  readonly judge = new Judge()
  readonly #scenario: Scenario
  readonly #scheduler: Scheduler
  readonly #store = new Store()
  readonly #log: Entry[] = []
  readonly #owners: readonly Owner[]
  #now: Stamp = stamp(1_000_000)
  #error: unknown = null

  constructor(scenario: Scenario, scheduler: Scheduler) {
    this.#scenario = scenario
    this.#scheduler = scheduler
    this.#owners = scenario.skews.map(
      (skew, i) =>
        new Owner(life(replicaId(i + 1), 'a', 1), GROUP, skew, scenario.habits, ({ commit, label }) => {
          this.#later('proposal', () => this.#append(commit, label))
        }),
    )
  }

  async run(): Promise<void> {
    const lives = this.#owners.map((owner) => owner.life)
    this.#append({ kind: 'key', generation: 1, key: new Uint8Array(16).fill(7) }, null)
    this.#append({ kind: 'serving', replaces: index(0), admit: lives, remove: [] }, null)
    this.#ask({ kind: 'open' })
    for (const event of this.#scenario.events) this.#later(event.kind, () => this.#perform(event))
    await this.#scheduler.waitIdle()
    await this.#rest()
    if (this.#error !== null) throw this.#error
    for (const owner of this.#owners) assert(!owner.isStuck, 'an owner goes on and on')
    this.judge.end(this.#store.group(GROUP), this.#hasBegun)
  }

  #hasBegun = false

  /** All that is still to fire soon fires, and is performed. A tombstone may be left. */
  async #rest(): Promise<void> {
    for (let round = 0; round < 8; round++) {
      this.#now = stamp(this.#now + 7 * UNIT)
      this.#append({ kind: 'pulse', limit: 1_000, audit: null }, null)
      await this.#scheduler.waitIdle()
    }
    this.#ask({ kind: 'invalidate' })
    await this.#scheduler.waitIdle()
  }

  #perform(event: Event): void {
    switch (event.kind) {
      case 'act':
        return this.#ask(event.act)
      case 'read and put': {
        const reader = this.#owners[event.replica % this.#owners.length] as Owner
        const { version, attributes } = viewOf(new Turn(reader.committed, reader.ctx), reader.ctx)
        const read = attributes.find(({ name }) => name === 'n')?.value ?? 0
        return this.#later('put', () => this.#ask({ kind: 'put', version, read: Number(read) }))
      }
      case 'pulse':
        this.#now = stamp(this.#now + event.later)
        return this.#append({ kind: 'pulse', limit: 1_000, audit: null }, null)
      case 'toggle': {
        const owner = this.#owners[event.replica % this.#owners.length] as Owner
        const { members, version } = this.#store.serving()
        const serves = members.some((member) => member.life === owner.life)
        const [admit, remove] = serves ? [[], [owner.life]] : [[owner.life], []]
        return this.#append({ kind: 'serving', replaces: version, admit, remove }, null)
      }
      default:
        return unreachable(event)
    }
  }

  /** Whoever takes itself for the owner gets it. */
  #ask(act: Act): void {
    this.#owners.find((owner) => owner.isOwner)?.handle(act)
  }

  #later(label: string, act: () => void): void {
    const guarded = (): void => {
      try {
        act()
      } catch (error) {
        this.#error ??= error
      }
    }
    void this.#scheduler.schedule(Promise.resolve(), label).then(guarded)
  }

  #append(body: EntryBody, label: Label | null): void {
    this.#now = stamp(this.#now + 1)
    const entry: Entry = { stamp: this.#now, body }
    this.#log.push(entry)
    const applied = this.#store.apply(index(this.#log.length), entry)
    const view = this.#store.group(GROUP)
    this.#hasBegun ||= view !== null
    this.judge.look(applied, label, view, this.#now)
    for (const owner of this.#owners) {
      // The first two entries are there before anything is asked.
      if (this.#log.length <= 2) owner.apply(entry)
      else this.#later(`${owner.life} applies`, () => this.#applyNext(owner))
    }
  }

  #applyNext(owner: Owner): void {
    const entry = this.#log[owner.store.appliedIndex]
    if (entry === undefined) return
    const before = owner.store.counts().intentsOpen
    owner.apply(entry)
    const due = Math.max(1, owner.store.counts().intentsOpen, before)
    for (let i = 0; i < due; i++) this.#later(`${owner.life} performs`, () => owner.perform())
  }
}
