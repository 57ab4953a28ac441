// What one call did, as the page learns of it: from its events, and from looking at its entities again and again. A version that came
// and went between two looks is not seen; the message that made it mostly is, for events are told each once. Times are cluster time,
// microseconds, which all replicas share.

import type { CallNews, CallView, EntityRow } from './shapes.ts'

export type Party = 'caller' | 'set' | 'callee'

/** At one time a message comes in, then its commit is there, then what it lets out leaves. */
type Place = 'before' | 'commit' | 'after'

const PLACES: readonly Place[] = ['before', 'commit', 'after']

export type Step = { readonly at: number; readonly place: Place } & (
  | { readonly kind: 'message'; readonly from: Party; readonly to: Party; readonly label: string }
  /** An entity has another version. */
  | { readonly kind: 'change'; readonly label: string; readonly detail: string }
  /** The group has another owner: its life. */
  | { readonly kind: 'owner'; readonly life: string; readonly isFirst: boolean }
)

/** More than a ladder that somebody reads. */
const MOST = 200

export class CallHistory {
  #steps: Step[] = []
  /** What stands on the ladder already: a message and what it was learned from may come twice. */
  readonly #seen = new Set<string>()
  #entities: ReadonlyMap<string, EntityRow> | null = null
  #owner: string | null = null

  /** In order of their times. */
  get steps(): readonly Step[] {
    return this.#steps
  }

  /** An event of the call. */
  event(news: CallNews): void {
    const { event, at, started, answered } = news
    switch (event) {
      case 'call-started':
        return this.#started(started, at)
      case 'call-ringing':
        return this.#way('ringing', at, ['callee', 'set', 'caller'], `ringing ${at}`)
      case 'call-answered':
        this.#started(started, started)
        return this.#answered(answered ?? at, at)
      case 'call-ended':
        this.#started(started, started)
        if (typeof answered === 'number') this.#answered(answered, answered)
        return this.#ended(news)
    }
  }

  /** Its entities as they are. `at`: now. */
  look(view: CallView, at: number): void {
    const { entities, owner } = view
    const first = Math.min(...entities.map(({ stamp }) => stamp))
    for (const { value, stamp } of entities) this.#read(value, first, stamp)
    this.#changed(view)
    if (owner === null || owner === this.#owner) return
    const isFirst = this.#owner === null
    this.#owner = owner
    this.#add({ kind: 'owner', at: isFirst ? 0 : at, place: 'before', life: owner, isFirst })
  }

  /** It is not up any more. Once. */
  over(at: number): void {
    this.#add({ kind: 'change', at, place: 'after', label: 'the call is over', detail: '' })
  }

  /** What a session says of times before anybody looked. `first`: when the oldest of its group's entities was committed; `last`: when it
   * was itself. */
  #read(value: Readonly<Record<string, unknown>>, first: number, last: number): void {
    const { kind, state, began, answered } = value
    if (kind !== 'session') return
    if (typeof began === 'number') this.#started(began, first)
    if (typeof answered === 'number' && state === 'CONFIRMED') this.#answered(answered, last)
  }

  #started(at: number, committed: number): void {
    this.#way('INVITE', at, ['caller', 'set', 'callee'], `started ${at}`, near(at, committed))
  }

  #answered(at: number, committed: number): void {
    this.#way('2xx', at, ['callee', 'set', 'caller'], `answered ${at}`, near(at, committed))
  }

  #ended({ at, cause = '', by = null, status = null }: CallNews): void {
    const once = `ended ${at}`
    const label = status === null ? cause : String(status)
    if (cause === 'bye') {
      const [from, to]: readonly [Party, Party] = by === 'callee' ? ['callee', 'caller'] : ['caller', 'callee']
      this.#passed('BYE', at, [from, 'set', to], once)
      if (status !== null) this.#way(label, at, [to, 'set', from], `${once} answer`)
    } else if (by === 'set') {
      const texts: readonly Party[] = status === null ? ['caller', 'callee'] : ['caller']
      for (const to of texts) this.#way(status === null ? `BYE (${cause})` : label, at, ['set', to], `${once} ${to}`)
    } else if (cause === 'cancelled') {
      this.#passed('CANCEL', at, ['caller', 'set', 'callee'], once)
      this.#way(label, at, ['set', 'caller'], `${once} answer`)
    } else this.#way(label, at, ['callee', 'set', 'caller'], once)
  }

  /** A message that leaves the set when what it does is committed. */
  #way(label: string, at: number, parties: readonly Party[], once: string, committed = at): void {
    if (this.#seen.has(once)) return
    this.#seen.add(once)
    for (const [i, to] of parties.slice(1).entries()) {
      const from = parties[i] ?? 'set'
      if (from === 'set') this.#add({ kind: 'message', at: committed, place: 'after', from, to, label })
      else this.#add({ kind: 'message', at, place: 'before', from, to, label })
    }
  }

  /** One that changes nothing that is kept. */
  #passed(label: string, at: number, parties: readonly Party[], once: string): void {
    if (this.#seen.has(once)) return
    this.#seen.add(once)
    for (const [i, to] of parties.slice(1).entries()) {
      this.#add({ kind: 'message', at, place: 'before', from: parties[i] ?? 'set', to, label })
    }
  }

  #changed({ entities }: CallView): void {
    const now = new Map(entities.map((entity) => [`${entity.tree} ${entity.id}`, entity]))
    for (const [name, entity] of now) {
      const before = this.#entities?.get(name)
      if (before?.version === entity.version) continue
      const versions = before === undefined ? `v${entity.version}` : `v${before.version} → v${entity.version}`
      const label = `${nameOf(entity)} ${versions}`
      this.#add({ kind: 'change', at: entity.stamp, place: 'commit', label, detail: stateOf(entity) ?? '' })
    }
    for (const [name, entity] of this.#entities ?? []) {
      if (now.has(name)) continue
      // With its group's last change, as far as that is seen.
      const last = Math.max(entity.stamp, ...entities.map(({ stamp }) => stamp))
      this.#add({ kind: 'change', at: last, place: 'commit', label: `${nameOf(entity)} is gone`, detail: '' })
    }
    this.#entities = now
  }

  #add(step: Step): void {
    const order = ({ at, place }: Step): number => at - step.at || PLACES.indexOf(place) - PLACES.indexOf(step.place)
    const after = this.#steps.findLastIndex((known) => order(known) <= 0)
    this.#steps.splice(after + 1, 0, step)
    if (this.#steps.length > MOST) this.#steps = this.#steps.slice(-MOST)
  }
}

/** When it was committed, if that is the commit that is meant: a later one put the same entity again. */
function near(at: number, committed: number): number {
  return committed >= at && committed - at < 1_000_000 ? committed : at
}

/** What kind of thing it is, for its tree may hold several. */
export function nameOf({ tree, id, value }: EntityRow): string {
  const kind = typeof value['kind'] === 'string' ? value['kind'] : ''
  const plain = kind === '' || tree.toLowerCase().endsWith(kind.replaceAll('-', '')) ? tree : `${tree} ${kind}`
  return `${plain} ${id}`
}

export function stateOf({ value }: EntityRow): string | null {
  return typeof value['state'] === 'string' ? value['state'] : null
}
