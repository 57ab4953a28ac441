// What must be so whenever the log takes an entry, said naively and apart from the store's code. Every finding has the name of
// the property that it breaks.

import type { GroupKey, Life } from '../../src/base/brand.ts'
import { replicaOf } from '../../src/base/brand.ts'
import { type HashKey, sipHashText } from '../../src/base/hash.ts'
import type { Store } from '../../src/store/store.ts'
import type { Applied, Serving } from '../../src/store/view.ts'
import type { Commit, Entry } from '../../src/wire/entry.ts'
import { nothing, textOf, viewOf } from './view.ts'
import type { View } from './view.ts'

/** A commit, and what its owner believed. */
export interface Proposal {
  readonly commit: Commit
  readonly input: string
  /** The group that it was worked out on, and what is to become of it. */
  readonly base: View
  readonly result: View
  /** Its owner has handled the input again, because the commit below fell: now it must not be accepted, although the group may
   * look as if it could, for the commit below may have been made again. */
  isFallen: boolean
}

export type PropertyName =
  | 'built on what is'
  | 'owner'
  | 'once'
  | 'version +1'
  | 'all or nothing'
  | 'accepted if right'
  | 'timers'
  | 'holds'
  | 'replay'
  /** The store's own (store/invariants.ts). */
  | 'invariants'

export type Findings = Map<PropertyName, string>

interface Pending {
  readonly deadline: number
  readonly group: GroupKey
}

export class Judge {
  readonly findings: Findings = new Map()
  readonly #store: Store
  readonly #groups: readonly GroupKey[]
  readonly #servings: Serving[] = []
  readonly #accepted = new Set<string>()
  readonly #seen = new Set<string>()
  readonly #lowest = new Map<Life, number>()
  readonly #timers = new Map<string, Pending>()
  #now = 0
  #before: ReadonlyMap<GroupKey, View> = new Map()

  constructor(store: Store, groups: readonly GroupKey[]) {
    this.#store = store
    this.#groups = groups
  }

  /** Before the entry is applied. */
  look(): void {
    this.#before = this.#views()
  }

  /** After it was applied. */
  judge(entry: Entry, applied: Applied, proposal: Proposal | null): void {
    this.#now = Math.max(this.#now, entry.stamp)
    const after = this.#views()
    if (applied.kind === 'commit' && proposal !== null) this.#commit(proposal, applied.outcome, after)
    if (applied.kind === 'serving' && applied.accepted) this.#servings.push(applied.after)
    if (applied.kind === 'pulse') {
      this.#fired(applied.fired.map(({ group, id }) => `${group} ${id}`))
      this.#touched(new Set(applied.fired.map(({ group }) => group)), after)
    }
    const held = [...after.values()].reduce((sum, { holds }) => sum + holds, 0)
    const counted = this.#store.counter('calls')
    if (counted !== held) this.#find('holds', `the counter is ${counted}, living groups hold ${held}`)
  }

  /** Whether another store, which has applied the same entries, is the same. */
  compare(other: Store, whose: string): void {
    if (other.hash() !== this.#store.hash()) this.#find('replay', `${whose} has another hash`)
    for (const key of this.#groups) {
      const [is, should] = [textOf(viewOf(other.group(key))), textOf(this.#view(key))]
      if (is !== should) this.#find('replay', `${whose} has ${key} as ${is}, not ${should}`)
    }
  }

  broken(text: string): void {
    this.#find('invariants', text)
  }

  stuck(text: string): void {
    this.#find('accepted if right', text)
  }

  #commit(
    { commit, input, base, result, isFallen }: Proposal,
    outcome: string,
    after: ReadonlyMap<GroupKey, View>,
  ): void {
    const { group, proposer, serial } = commit
    const name = `${input} (serial ${serial} of ${proposer})`
    const before = this.#before.get(group) ?? nothing
    const now = after.get(group) ?? nothing
    const isFirst = !this.#seen.has(`${proposer} ${serial}`) && serial >= (this.#lowest.get(proposer) ?? 1)
    const isOwner = this.#owned(commit)
    const isBuilt = textOf(base) === textOf(before)
    if (this.#wasServing(proposer)) {
      this.#seen.add(`${proposer} ${serial}`)
      if (isFirst) this.#lowest.set(proposer, Math.max(commit.lowestOpen, this.#lowest.get(proposer) ?? 1))
    }
    if (outcome !== 'accepted') {
      this.#touched(new Set(), after)
      if (isFirst && isOwner && isBuilt && !isFallen && outcome !== 'limit') {
        this.#find('accepted if right', `${name} is right, and ${outcome}`)
      }
      return
    }
    if (!isBuilt) this.#find('built on what is', `${name} was built on ${textOf(base)}, and changed ${textOf(before)}`)
    if (!isOwner) this.#find('owner', `${name} was judged at ${commit.judged}, and is not the owner's since then`)
    if (this.#accepted.has(input)) this.#find('once', `${name} was accepted before`)
    this.#accepted.add(input)
    const meant = result.entities.size === 0 ? nothing : result
    if (textOf(now) !== textOf(meant)) {
      this.#find('all or nothing', `${name} was to make ${textOf(meant)}, and made ${textOf(now)}`)
    }
    this.#touched(new Set([group]), after)
    this.#schedule(commit, now)
  }

  /** Versions: +1 for each group in the set and for each entity that was written, from 1; nothing else changes. */
  #touched(groups: ReadonlySet<GroupKey>, after: ReadonlyMap<GroupKey, View>): void {
    for (const key of this.#groups) {
      const [was, is] = [this.#before.get(key) ?? nothing, after.get(key) ?? nothing]
      if (!groups.has(key) && textOf(was) !== textOf(is)) {
        this.#find('all or nothing', `${key} changed from ${textOf(was)} to ${textOf(is)} by nothing`)
      }
      if (groups.has(key) && is.entities.size > 0 && is.version !== was.version + 1) {
        this.#find('version +1', `${key} went from version ${was.version} to ${is.version}`)
      }
      for (const [id, entity] of is.entities) {
        const old = was.entities.get(id)
        if (entity.text === old?.text ? entity.version === old.version : entity.version === (old?.version ?? 0) + 1)
          continue
        this.#find('version +1', `${key}/${id} went from version ${old?.version ?? 0} to ${entity.version}`)
      }
    }
  }

  #schedule({ group, timers, cancels }: Commit, now: View): void {
    for (const id of cancels) this.#timers.delete(`${group} ${id}`)
    for (const { id, after } of timers) this.#timers.set(`${group} ${id}`, { group, deadline: this.#now + after })
    if (now.entities.size === 0) this.#end(group)
  }

  #end(group: GroupKey): void {
    for (const [name, timer] of this.#timers) if (timer.group === group) this.#timers.delete(name)
  }

  /** All that is due fires, once, in the order of deadlines; nothing else. A group that ends takes its timers along. */
  #fired(fired: readonly string[]): void {
    let last = 0
    for (const name of fired) {
      const timer = this.#timers.get(name)
      this.#timers.delete(name)
      if (timer === undefined) this.#find('timers', `${name} fired, and was not pending`)
      else if (timer.deadline > this.#now) this.#find('timers', `${name} fired ${timer.deadline - this.#now} us early`)
      else if (timer.deadline < last) this.#find('timers', `${name} fired after a later one`)
      last = timer?.deadline ?? last
    }
    for (const key of this.#groups) if (this.#view(key).entities.size === 0) this.#end(key)
    for (const [name, { deadline }] of this.#timers) {
      if (deadline <= this.#now) this.#find('timers', `${name} is due, and did not fire`)
    }
  }

  #owned({ proposer, since, judged, group }: Commit): boolean {
    const from = this.#servings.findIndex(({ version }) => version === judged)
    if (from < 0) return false
    const isMember = this.#servings.at(-1)?.members.some((member) => member.life === proposer && member.since === since)
    return isMember === true && this.#servings.slice(from).every((serving) => ownerOf(serving, group) === proposer)
  }

  #wasServing(life: Life): boolean {
    return this.#servings.some(({ members }) => members.some((member) => member.life === life))
  }

  #views(): ReadonlyMap<GroupKey, View> {
    return new Map(this.#groups.map((key) => [key, this.#view(key)]))
  }

  #view(key: GroupKey): View {
    return viewOf(this.#store.group(key))
  }

  #find(name: PropertyName, text: string): void {
    if (!this.findings.has(name)) this.findings.set(name, text)
  }
}

/** As in store/ownership.ts: the highest hash of group and replica wins. */
const rendezvous: HashKey = { k0: 0x686f6c64, k1: 0x66617374, k2: 0x6f776e65, k3: 0x72736869 }

function ownerOf({ members }: Serving, group: GroupKey): Life | null {
  const ranked = members
    .map(({ life }) => ({ life, hash: sipHashText(rendezvous, `${group}/${replicaOf(life)}`) }))
    .sort((a, b) => b.hash.high - a.hash.high || b.hash.low - a.hash.low)
  return ranked[0]?.life ?? null
}
