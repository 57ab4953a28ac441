// An owner as replica/owner.ts is one, without SIP: it works out commits on the result of its uncommitted ones, pipelines them,
// and when one falls, handles the inputs of it and of all later ones of that group again.

import { type GroupKey, type Life, index } from '../../src/base/brand.ts'
import { Store } from '../../src/store/store.ts'
import type { Applied } from '../../src/store/view.ts'
import type { Entry } from '../../src/wire/entry.ts'
import type { Proposal } from './judge.ts'
import { edit, viewOf } from './view.ts'
import type { Change, View } from './view.ts'

export interface Input {
  readonly name: string
  readonly group: GroupKey
  readonly change: Change
  tries: number
}

interface Open {
  readonly serial: number
  readonly input: Input
  readonly result: View
  readonly proposal: Proposal
}

/** Tries of one input before it is said to be stuck: each is made vain by another entry, and there are fewer of those. */
const mostTries = 100

export class Owner {
  readonly life: Life
  /** What this replica has applied: it may be behind the log. */
  readonly store = new Store()
  readonly #propose: (proposal: Proposal) => void
  readonly #open = new Map<number, Open>()
  /** Whether commits say which open commit they build on, or are worked out as if there were none. */
  readonly #pipelines: boolean
  #serial = 0
  /** Why an input goes on and on; null = none does. */
  stuck: string | null = null

  constructor(life: Life, pipelines: boolean, propose: (proposal: Proposal) => void) {
    this.life = life
    this.#pipelines = pipelines
    this.#propose = propose
  }

  /** Inputs of groups that are another's, or whose owner doesn't serve, are passed on in the product; here they are dropped. */
  handle(input: Input): void {
    const { group, change, name } = input
    const since = this.store.sinceOf(this.life)
    if (since === null || this.store.ownerOf(group) !== this.life) return
    if (++input.tries > mostTries) {
      this.stuck = `${name} was handled ${mostTries} times`
      return
    }
    const before = this.#pipelines
      ? [...this.#open.values()].filter((open) => open.input.group === group).at(-1)
      : undefined
    const base = before?.result ?? viewOf(this.store.group(group))
    const { parts, result } = edit(base, change, name)
    const serial = ++this.#serial
    const commit = {
      kind: 'commit' as const,
      group,
      expected: base.version,
      proposer: this.life,
      since,
      judged: this.store.serving().version,
      serial,
      lowestOpen: this.#open.keys().next().value ?? serial,
      onto: before?.serial ?? 0,
      ...parts,
    }
    const proposal = { commit, input: name, base, result, isFallen: false }
    this.#open.set(serial, { serial, input, result, proposal })
    this.#propose(proposal)
  }

  /** Applies the next entry. */
  apply(entry: Entry): void {
    const applied = this.store.apply(index(this.store.appliedIndex + 1), entry)
    if (applied.kind === 'commit' && applied.commit.proposer === this.life) this.#heard(applied)
  }

  #heard({ commit, outcome }: Extract<Applied, { kind: 'commit' }>): void {
    const open = this.#open.get(commit.serial)
    // A replay.
    if (open === undefined || outcome === 'duplicate') return
    this.#open.delete(commit.serial)
    if (outcome === 'accepted') return
    const fallen = [...this.#open.values()].filter(
      (other) => this.#pipelines && other.serial > open.serial && other.input.group === commit.group,
    )
    for (const { serial, proposal } of fallen) {
      proposal.isFallen = true
      this.#open.delete(serial)
    }
    const again = outcome === 'limit' ? fallen : [open, ...fallen]
    for (const { input } of again) this.handle(input)
  }
}
