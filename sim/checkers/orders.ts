// Orders and lookups of sessions (decision 0034), against what the log has:
// - of a key there is one session, whoever creates it, and one order that did (JSR 289 15.11.2);
// - an order that is said to be done is, one that is said not to be isn't, and none is done twice;
// - what compares and puts adds to what it compared: no update is lost;
// - C9: what a lookup shows is never older than what was committed, or shown to anybody, before it was asked; with an index at hand never
//   older than what its asker was shown.

import type { Stamp } from '../../src/base/instant.ts'
import type { SessionView } from '../../src/app/contract.ts'
import { APPLICATION_SESSION } from '../../src/session/application-session.ts'
import type { LookupAnswer, OrderAnswer } from '../../src/app/orders.ts'
import { unpackValue } from '../../src/app/packed.ts'
import type { GroupKey } from '../../src/base/brand.ts'
import { entityValue } from '../../src/call/entities.ts'
import { groupOfKey } from '../../src/proxy/token.ts'
import type { Store } from '../../src/store/store.ts'
import type { Applied } from '../../src/store/view.ts'
import { APPLICATION } from '../order-clients.ts'
import type { NamedOrder, OrderWatch } from '../order-clients.ts'
import type { Checker, Report } from './checker.ts'

interface Known {
  readonly key: string
  /** Group versions, with the true time at which they were seen to be committed. */
  readonly states: { readonly version: number; readonly at: number }[]
  readonly shown: { readonly version: number; readonly at: number }[]
  /** When the session began; null = there is none. */
  created: number | null
  /** Ids that anybody was shown, of the first session. */
  readonly ids: Set<string>
  /** Orders that said that they created it. */
  readonly creators: Set<string>
  readonly orders: Map<string, Fate>
  /** Each order that was the last one to be done, in order. */
  readonly last: string[]
  n: number
  isClosing: boolean
}

interface Fate {
  readonly order: NamedOrder
  isDone: boolean
  told: OrderAnswer | null
}

export class Orders implements Checker, OrderWatch {
  readonly #report: Report
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  readonly #groups = new Map<GroupKey, Known>()

  constructor(report: Report, now: () => number) {
    this.#report = report
    this.#now = now
  }

  ordered(order: NamedOrder): void {
    const known = this.#keyed(order.key)
    known.orders.set(order.name, { order, isDone: false, told: null })
    if (order.kind === 'close') known.isClosing = true
  }

  told({ key, name }: NamedOrder, answer: OrderAnswer, since: number): void {
    const known = this.#keyed(key)
    const fate = known.orders.get(name)
    if (fate !== undefined) fate.told = answer
    if (answer.kind === 'done' && answer.created) {
      known.creators.add(name)
      if (known.creators.size > 1) this.#wrong(`${[...known.creators].join(' and ')} are said to have created ${key}`)
    }
    if ('view' in answer && answer.view !== null) this.#sees(known, answer.view, null, since, `order ${name}`)
  }

  looked(key: string, answer: LookupAnswer, least: number | null, since: number): void {
    if (answer.kind !== 'seen') return
    const known = this.#keyed(key)
    if (answer.view !== null) this.#sees(known, answer.view, least, since, 'a lookup')
    else if (!known.isClosing && (least !== null || this.#least(known, since) > 0))
      this.#report('C9', `a lookup of ${key} finds no session, and one was committed before it was asked`)
  }

  /** An entry was committed, and is applied to the model's store. */
  applied(applied: Applied, store: Store): void {
    if (this.#known.size === 0 || store.keyGeneration === 0) return
    if (applied.kind === 'commit' && applied.outcome === 'accepted') this.#changed(applied.commit.group, store)
    if (applied.kind === 'pulse') for (const { group } of applied.fired) this.#changed(group, store)
  }

  quiet(): void {
    for (const { key, orders } of this.#known.values()) {
      for (const { order, isDone, told } of orders.values()) {
        if (told === null || order.kind === 'close') continue
        if (told.kind === 'done' && !isDone) this.#wrong(`order ${order.name} of ${key} is said to be done, and is not`)
        const isNot = told.kind === 'conflict' || told.kind === 'gone' || (told.kind === 'refused' && !told.isOpen)
        if (isNot && isDone) this.#wrong(`order ${order.name} of ${key} is said to be "${told.kind}", and is done`)
      }
    }
  }

  #changed(group: GroupKey, store: Store): void {
    const known = this.#of(group, store)
    if (known === undefined) return
    const view = store.group(group)
    const entity = view?.entities.find((one) => one.tree === 'SipApplicationSession' && one.id === APPLICATION_SESSION)
    const value = entity === undefined ? null : entityValue(entity)
    const session = value?.kind === 'application-session' && value.hosted?.isValid === true ? value : null
    known.states.push({ version: view?.version ?? 0, at: this.#now() })
    if (session === null || session.hosted === null) {
      known.created = null
      return
    }
    if (known.created !== null && known.created !== session.created)
      this.#wrong(`another session of ${known.key} takes the place of one that is valid`)
    known.created = session.created
    const attributes = new Map(session.hosted.attributes.map(({ name, bytes }) => [name, unpackValue(bytes)]))
    let added = 0
    for (const fate of known.orders.values()) {
      if (fate.isDone || !attributes.has(`o-${fate.order.name}`)) continue
      fate.isDone = true
      if (fate.order.kind === 'add') added++
    }
    const n = Number(attributes.get('n') ?? 0)
    if (n !== known.n + added)
      this.#wrong(`${added} orders add to ${known.key}, and its number goes from ${known.n} to ${n}`)
    known.n = n
    this.#lastIs(known, String(attributes.get('last')))
  }

  #lastIs({ key, last }: Known, name: string): void {
    if (last.at(-1) === name) return
    if (last.includes(name)) this.#wrong(`order ${name} of ${key} is done once more`)
    last.push(name)
  }

  /** A session that is shown. */
  #sees(known: Known, view: SessionView, least: number | null, since: number, by: string): void {
    const { key, shown } = known
    if (known.isClosing) return
    known.ids.add(view.id)
    if (known.ids.size > 1) this.#wrong(`${key} is shown as two sessions`)
    const wanted = least ?? this.#least(known, since)
    if (view.groupVersion < wanted)
      this.#report('C9', `${by} shows ${key} in version ${view.groupVersion}; ${wanted} was there before it was asked`)
    shown.push({ version: view.groupVersion, at: this.#now() })
  }

  /** What was committed, or shown, by then. */
  #least({ states, shown }: Known, at: number): number {
    const committed = states.findLast((state) => state.at < at)?.version ?? 0
    return shown.reduce((most, one) => (one.at < at ? Math.max(most, one.version) : most), committed)
  }

  #wrong(text: string): void {
    this.#report('orders', text)
  }

  #keyed(key: string): Known {
    const known = this.#known.get(key) ?? {
      ...{ key, states: [], shown: [], created: null, ids: new Set<string>(), creators: new Set<string>() },
      ...{ orders: new Map<string, Fate>(), last: [], n: 0, isClosing: false },
    }
    this.#known.set(key, known)
    return known
  }

  #of(group: GroupKey, store: Store): Known | undefined {
    const keys = {
      current: store.keyGeneration,
      at: (time: Stamp) => store.keyAt(time),
      key: (generation: number) => store.key(generation),
    }
    if (this.#groups.size < this.#known.size) {
      for (const known of this.#known.values()) this.#groups.set(groupOfKey(keys, APPLICATION, known.key), known)
    }
    return this.#groups.get(group)
  }
}
