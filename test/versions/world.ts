// Owners around one log. fast-check's scheduler decides what happens next: which proposal reaches the log (some come twice),
// which replica applies its next entry, when an input arrives, a timer may fire, a replica is taken out of serving.

import type { Scheduler } from 'fast-check'
import { unreachable } from '../../src/base/assert.ts'
import { type GroupKey, type Life, groupKey, index, life, replicaId, replicaOf } from '../../src/base/brand.ts'
import { type Stamp, stamp } from '../../src/base/instant.ts'
import { checkApplied, checkStore, observeStore } from '../../src/store/invariants.ts'
import { Store } from '../../src/store/store.ts'
import { decodeEntry, encodeBody, encodeEntry } from '../../src/wire/codec.ts'
import type { Entry, EntryBody } from '../../src/wire/entry.ts'
import { Judge } from './judge.ts'
import type { Findings, Proposal } from './judge.ts'
import { Owner } from './owner.ts'
import type { Change } from './view.ts'

export type Event =
  /** An input for a group, at whichever replica takes itself for its owner; `copies` is how often its proposals come. */
  | { readonly kind: 'input'; readonly group: number; readonly change: Change; readonly copies: number }
  | { readonly kind: 'pulse'; readonly later: number }
  /** The leader takes a replica out of serving, which need not be dead, or admits it again. */
  | { readonly kind: 'toggle'; readonly replica: number }
  /** A new life of a replica, from the log; the process of the earlier one may still have something to say. */
  | { readonly kind: 'restart'; readonly replica: number }

export interface Scenario {
  readonly events: readonly Event[]
  readonly replicas: number
  /** Whether owners build commits on open ones. */
  readonly pipelines: boolean
}

/** Runs a scenario to its end: all that was proposed is applied everywhere. `isChecked`: the store's invariants are asked for as well. */
export async function findingsOf(scenario: Scenario, scheduler: Scheduler, isChecked: boolean): Promise<Findings> {
  const world = new World(scenario, scheduler, isChecked)
  await world.run()
  return world.findings
}

const groups: readonly GroupKey[] = [1, 2, 3].map((n) => groupKey(n.toString(16).padStart(16, '0')))

class World {
  readonly #scenario: Scenario
  readonly #scheduler: Scheduler
  readonly #isChecked: boolean
  /** As the log has it: it applies what was proposed; the replicas apply what comes out of the bytes. */
  readonly #store = new Store()
  readonly #judge = new Judge(this.#store, groups)
  readonly #log: Uint8Array[] = []
  readonly #owners: Owner[] = []
  /** The newest life of each replica, and its starts. */
  readonly #starts = new Map<number, number>()
  #now: Stamp = stamp(1_000)
  #error: unknown = null

  constructor(scenario: Scenario, scheduler: Scheduler, isChecked: boolean) {
    this.#scenario = scenario
    this.#scheduler = scheduler
    this.#isChecked = isChecked
  }

  get findings(): Findings {
    return this.#judge.findings
  }

  async run(): Promise<void> {
    const lives = Array.from({ length: this.#scenario.replicas }, (_, i) => this.#start(i + 1).life)
    this.#append({ kind: 'serving', replaces: index(0), admit: lives, remove: [] }, null)
    for (const owner of this.#owners) this.#catchUp(owner)
    for (const [i, event] of this.#scenario.events.entries()) this.#later(event.kind, () => this.#perform(event, i + 1))
    await this.#scheduler.waitIdle()
    if (this.#error !== null) throw this.#error
    for (const owner of this.#owners) {
      this.#judge.compare(owner.store, `the replica of ${owner.life}`)
      if (owner.stuck !== null) this.#judge.stuck(owner.stuck)
    }
    this.#judge.compare(this.#replayed(), 'a replay of the log')
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

  #perform(event: Event, number: number): void {
    switch (event.kind) {
      case 'input': {
        const group = groups[event.group % groups.length] as GroupKey
        const input = { name: `i${number}`, group, change: event.change, tries: 0 }
        this.#copies.set(input.name, event.copies)
        for (const owner of this.#owners) {
          // Two may take themselves for the owner; the input comes to one.
          const tries = input.tries
          owner.handle(input)
          if (input.tries > tries) return
        }
        return
      }
      case 'pulse':
        this.#now = stamp(this.#now + event.later)
        return this.#append({ kind: 'pulse', limit: 1_000, audit: null }, null)
      case 'toggle': {
        const newest = this.#lives(event.replica)
        const isServing = this.#store.serving().members.some(({ life: of }) => newest.includes(of))
        return isServing ? this.#serve([], newest) : this.#serve(newest, [])
      }
      case 'restart': {
        const owner = this.#start(event.replica)
        this.#catchUp(owner)
        return this.#serve([owner.life], [])
      }
      default:
        return unreachable(event)
    }
  }

  readonly #copies = new Map<string, number>()

  #start(replica: number): Owner {
    const start = (this.#starts.get(replica) ?? 0) + 1
    this.#starts.set(replica, start)
    const owner = new Owner(life(replicaId(replica), 'a', start), this.#scenario.pipelines, (proposal) =>
      this.#propose(proposal),
    )
    this.#owners.push(owner)
    return owner
  }

  #lives(replica: number): readonly Life[] {
    return this.#owners
      .filter(({ life: of }) => replicaOf(of) === replica)
      .slice(-1)
      .map(({ life: of }) => of)
  }

  #serve(admit: readonly Life[], remove: readonly Life[]): void {
    this.#append({ kind: 'serving', replaces: this.#store.serving().version, admit, remove }, null)
  }

  #propose(proposal: Proposal): void {
    const { proposer, serial } = proposal.commit
    for (let copy = 1; copy <= (this.#copies.get(proposal.input) ?? 1); copy++) {
      this.#later(`${proposer}#${serial} arrives`, () => this.#append(proposal.commit, proposal))
    }
  }

  #append(body: EntryBody, proposal: Proposal | null): void {
    this.#now = stamp(this.#now + 1)
    const entry: Entry = { stamp: this.#now, body }
    this.#log.push(encodeEntry(entry.stamp, encodeBody(body)))
    this.#judge.look()
    const before = this.#isChecked ? observeStore(this.#store, body) : null
    const applied = this.#store.apply(index(this.#log.length), entry)
    this.#judge.judge(entry, applied, proposal)
    const wrong = before === null ? null : (checkApplied(before, applied, this.#store) ?? checkStore(this.#store))
    if (wrong !== null) this.#judge.broken(wrong)
    for (const owner of this.#owners) {
      this.#later(`${owner.life} applies`, () => {
        if (owner.store.appliedIndex < this.#log.length) owner.apply(this.#entry(owner.store.appliedIndex))
      })
    }
  }

  /** Restarts apply the log they find; every owner has a task for each entry, which then has nothing left to do. */
  #catchUp(owner: Owner): void {
    while (owner.store.appliedIndex < this.#log.length) owner.apply(this.#entry(owner.store.appliedIndex))
  }

  #entry(at: number): Entry {
    const decoded = decodeEntry(this.#log[at] as Uint8Array)
    if (!decoded.ok) throw new Error(decoded.error)
    return decoded.value
  }

  #replayed(): Store {
    const store = new Store()
    for (let at = 0; at < this.#log.length; at++) store.apply(index(at + 1), this.#entry(at))
    return store
  }
}
