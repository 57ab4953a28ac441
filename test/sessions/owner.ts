// An owner as replica/owner.ts is one, of one group and without SIP: it makes commits on the result of its open ones, performs intents
// that are open in what it has applied, and handles again what fell.

import { index } from '../../src/base/brand.ts'
import type { GroupKey, Life } from '../../src/base/brand.ts'
import { instant, stamp } from '../../src/base/instant.ts'
import type { AppContext } from '../../src/app/context.ts'
import { loadGroup } from '../../src/call/group.ts'
import type { Group } from '../../src/call/group.ts'
import { Store } from '../../src/store/store.ts'
import type { Applied } from '../../src/store/view.ts'
import type { Commit, Entry } from '../../src/wire/entry.ts'
import { step } from './application.ts'
import type { Act, Habits, Label } from './application.ts'

export interface Proposal {
  readonly commit: Commit
  readonly label: Label
}

interface Open {
  readonly serial: number
  readonly result: Group
  /** Its own, and later ones that needed no commit. */
  readonly acts: Act[]
}

/** Tries of all inputs together before it is said to be stuck. */
const MOST_STEPS = 2_000

export class Owner {
  readonly life: Life
  readonly store = new Store()
  readonly #group: GroupKey
  readonly #habits: Habits
  /** How far its estimate of cluster time is off. */
  readonly #skew: number
  readonly #propose: (proposal: Proposal) => void
  readonly #open: Open[] = []
  readonly #intents: string[] = []
  readonly #performing = new Set<string>()
  #serial = 0
  #steps = 0

  constructor(life: Life, group: GroupKey, skew: number, habits: Habits, propose: (proposal: Proposal) => void) {
    this.life = life
    this.#group = group
    this.#habits = habits
    this.#skew = skew
    this.#propose = propose
  }

  get isOwner(): boolean {
    return this.store.sinceOf(this.life) !== null && this.store.ownerOf(this.#group) === this.life
  }

  get isStuck(): boolean {
    return this.#steps > MOST_STEPS
  }

  get ctx(): AppContext {
    const { store } = this
    return {
      now: instant(store.lastStamp),
      cluster: stamp(Math.max(1, store.lastStamp + this.#skew)),
      settings: { sip: { host: '127.31.41.1', port: 5060 }, nextHop: null },
      keys: { current: 1, at: () => 1, key: (generation) => store.key(generation) },
      format: 2,
      acceptsCalls: true,
      keepsRelays: true,
      view: () => null,
      counter: () => 0,
      admit: () => 'admit',
      applications: [
        {
          name: 'test',
          version: '1',
          handlers: ['timeout', 'sessionExpired', 'sessionReadyToInvalidate', 'sessionDestroyed'],
        },
      ],
      applied: store.appliedIndex,
    }
  }

  /** What it shows to who asks: what is in the log. What an open commit will make of it isn't told outside before that is accepted. */
  get committed(): Group {
    return loadGroup(this.#group, this.store.group(this.#group), null)
  }

  get group(): Group {
    return this.#open.at(-1)?.result ?? this.committed
  }

  handle(act: Act): void {
    if (!this.isOwner || ++this.#steps > MOST_STEPS) return
    const before = this.#open.at(-1)
    const { result, label } = step(this.group, act, this.ctx, this.#habits)
    if (result.commit === null) {
      before?.acts.push(act)
      return
    }
    const since = this.store.sinceOf(this.life) ?? index(0)
    const serial = ++this.#serial
    const commit: Commit = {
      kind: 'commit',
      group: this.#group,
      expected: this.store.groupVersion(this.#group) + this.#open.length,
      proposer: this.life,
      since,
      judged: this.store.serving().version,
      serial,
      lowestOpen: this.#open[0]?.serial ?? serial,
      onto: before?.serial ?? 0,
      ...result.commit,
    }
    this.#open.push({ serial, result: result.group, acts: [act] })
    this.#propose({ commit, label })
  }

  apply(entry: Entry): void {
    const wasOwner = this.isOwner
    const applied = this.store.apply(index(this.store.appliedIndex + 1), entry)
    if (!this.isOwner) this.#drop()
    else if (!wasOwner) this.#intents.push(...this.#openIntents())
    else this.#heard(applied)
  }

  /** The oldest of the intents that nobody is performing. */
  perform(): void {
    const id = this.#intents.shift()
    const intent = this.store.group(this.#group)?.intents.find((one) => one.id === id)
    if (id === undefined || intent === undefined || this.#performing.has(id)) return
    this.#performing.add(id)
    this.handle({ kind: 'intent', id, opened: intent.opened })
  }

  #heard(applied: Applied): void {
    if (applied.kind === 'pulse') {
      for (const { id, action } of applied.fired) if (action.kind === 'callback') this.#intents.push(id)
      return
    }
    if (applied.kind !== 'commit' || applied.commit.proposer !== this.life) return
    const at = this.#open.findIndex(({ serial }) => serial === applied.commit.serial)
    if (at < 0 || applied.outcome === 'duplicate') return
    if (applied.outcome !== 'accepted') {
      for (const { acts } of this.#open.splice(at)) for (const act of acts) this.handle(act)
      return
    }
    this.#open.splice(at, 1)
    for (const id of applied.commit.done) this.#performing.delete(id)
    for (const { id } of applied.commit.opened) this.#intents.push(id)
  }

  #openIntents(): readonly string[] {
    return (this.store.group(this.#group)?.intents ?? []).map(({ id }) => id)
  }

  #drop(): void {
    this.#open.length = 0
    this.#intents.length = 0
    this.#performing.clear()
  }
}
