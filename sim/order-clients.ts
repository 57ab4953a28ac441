// Who asks replicas for sessions by key, all at once (decision 0034): some clients for each key, each at another replica. They create the
// session, look it up, add to a number in it (compare-and-put), and set something without looking; at last it is invalidated. What is
// asked, and what is answered, a checker hears (checkers/orders.ts).

import type { Op, SessionView } from '../src/app/contract.ts'
import type { LookupAnswer, Order, OrderAnswer, Target } from '../src/app/orders.ts'
import type { Index } from '../src/base/brand.ts'
import type { Reply } from '../src/replica/effect.ts'
import type { AdminInput } from '../src/replica/input.ts'
import type { Agenda } from './agenda.ts'
import { draw } from './draws.ts'
import type { Machine } from './machine.ts'
import type { Trace } from './trace.ts'

export interface PlannedRace {
  readonly at: number
  /** Who creates the key at that instant, each at another replica. */
  readonly clients: number
  /** What each does afterwards: so many times it looks, adds and sets. */
  readonly rounds: number
}

/** What an order is for. Its name is in the session once it is done. */
export interface NamedOrder {
  readonly key: string
  readonly kind: 'create' | 'add' | 'set' | 'close'
  readonly name: string
}

export interface OrderWatch {
  ordered(order: NamedOrder): void
  /** Asked at `since`. */
  told(order: NamedOrder, answer: OrderAnswer, since: number): void
  /** `least`: what its asker had been shown, and asked for; null = whatever is newest. */
  looked(key: string, answer: LookupAnswer, least: number | null, since: number): void
}

export const APPLICATION = 'shop'
/** Ids of questions: those about bans are below. */
export const firstOrderQuestion = 3_000_000
const second = 1_000_000
/** Replicas answer within 1.5 s, unless they die, or sleep. */
const patience = 2.5 * second
/** Of one that is told that somebody else was faster. */
const triesMost = 8

interface Question {
  readonly answered: (reply: Reply) => void
}

export class OrderClients {
  readonly #agenda: Agenda
  readonly #seed: number
  readonly #trace: Trace
  readonly #machines: readonly Machine[]
  readonly #watch: OrderWatch
  readonly #questions = new Map<number, Question>()
  readonly #races: Race[] = []
  #asked = 0

  constructor(agenda: Agenda, seed: number, trace: Trace, machines: readonly Machine[], watch: OrderWatch) {
    this.#agenda = agenda
    this.#seed = seed
    this.#trace = trace
    this.#machines = machines
    this.#watch = watch
  }

  /** What is still to be done, in words; null = nothing. */
  get open(): string | null {
    const race = this.#races.find(({ isOver }) => !isOver)
    return race === undefined ? null : `the clients of key ${race.key} are not done`
  }

  schedule(races: readonly PlannedRace[]): void {
    for (const [i, planned] of races.entries()) {
      const race = new Race(`key-${i + 1}`, planned, this)
      this.#races.push(race)
      this.#agenda.at(planned.at, () => race.begin())
    }
  }

  answered(reply: Reply): void {
    const question = this.#questions.get(reply.id)
    this.#questions.delete(reply.id)
    question?.answered(reply)
  }

  /** `then`: with null if no answer comes in time; one that comes later is heard by the watch alone. */
  order(named: NamedOrder, order: Order, client: number, then: (answer: OrderAnswer | null) => void): void {
    const since = this.#agenda.now
    this.#watch.ordered(named)
    const told = (answer: OrderAnswer): void => {
      this.#trace.tell(`order ${named.name} of ${named.key}: ${answer.kind}`)
      this.#watch.told(named, answer, since)
    }
    this.#ask({ kind: 'order', order }, client, told, then)
  }

  look(
    key: string,
    target: Target,
    shown: Shown | null,
    client: number,
    then: (answer: LookupAnswer | null) => void,
  ): void {
    const since = this.#agenda.now
    const lookup = { application: APPLICATION, target, atLeast: shown?.index ?? null }
    const told = (answer: LookupAnswer): void => this.#watch.looked(key, answer, shown?.version ?? null, since)
    this.#ask({ kind: 'session', lookup }, client, told, then)
  }

  /** To that client's replica; to the next one if it is dead. */
  #ask<T>(
    query: AdminInput['query'],
    client: number,
    told: (answer: T) => void,
    then: (answer: T | null) => void,
  ): void {
    const awake = this.#machines.filter(({ replica, host }) => replica !== null && host?.isAsleep === false)
    const host = awake[client % Math.max(1, awake.length)]?.host
    const id = firstOrderQuestion + ++this.#asked
    let isOver = false
    const end = (answer: T | null): void => {
      if (isOver) return
      isOver = true
      then(answer)
    }
    this.#questions.set(id, {
      answered: ({ body }) => {
        told(body as T)
        end(body as T)
      },
    })
    host?.deliver({ kind: 'admin', id, query })
    this.#agenda.after(patience, () => end(null))
  }

  /** A little later; drawn. */
  later(about: number, go: () => void): void {
    const wait = draw(this.#seed, 'order clients').within(1_000, 400_000, about, ++this.#asked)
    this.#agenda.after(wait, go)
  }
}

interface Shown {
  readonly index: Index
  readonly version: number
}

/** All clients of one key. */
class Race {
  readonly key: string
  isOver = false
  readonly #planned: PlannedRace
  readonly #clients: OrderClients
  #left: number

  constructor(key: string, planned: PlannedRace, clients: OrderClients) {
    this.key = key
    this.#planned = planned
    this.#clients = clients
    this.#left = planned.clients
  }

  begin(): void {
    for (let i = 0; i < this.#planned.clients; i++) {
      new Client(this.key, i, this.#planned.rounds, this.#clients, () => this.#done()).create()
    }
  }

  #done(): void {
    if (--this.#left > 0) return
    this.#close(1)
  }

  /** Until it is known to be over: who asks again can do no harm. */
  #close(times: number): void {
    const named = { key: this.key, kind: 'close', name: `close-${times}` } as const
    const target = { kind: 'key', key: this.key, create: false } as const
    const ops: readonly Op[] = [{ kind: 'invalidate', of: '' }]
    this.#clients.order(named, { application: APPLICATION, version: '1', target, ops }, times, (answer) => {
      if (answer?.kind === 'done' || answer?.kind === 'gone') this.isOver = true
      else this.#clients.later(0, () => this.#close(times + 1))
    })
  }
}

class Client {
  readonly #key: string
  readonly #number: number
  readonly #clients: OrderClients
  readonly #over: () => void
  #rounds: number
  #orders = 0
  #tries = 0
  #asked = 0
  /** The newest that it has seen. */
  #shown: Shown | null = null
  #view: SessionView | null = null

  constructor(key: string, number: number, rounds: number, clients: OrderClients, over: () => void) {
    this.#key = key
    this.#number = number
    this.#rounds = rounds
    this.#clients = clients
    this.#over = over
  }

  create(): void {
    this.#order('create', [{ kind: 'set-expires', after: null }], (answer) => {
      // All orders that follow are of a session that is there.
      if (answer?.kind === 'done') this.#next()
      else this.#clients.later(this.#number, () => this.create())
    })
  }

  #next(): void {
    if (this.#rounds-- <= 0) return this.#over()
    this.#clients.later(this.#number, () => this.#look())
  }

  /** Now by a barrier, now by what it was shown, at another replica each time. */
  #look(): void {
    const id = this.#view?.id
    const isKnown = this.#rounds % 2 === 0
    const target: Target = id === undefined || !isKnown ? { kind: 'key', key: this.#key } : { kind: 'id', id }
    this.#clients.look(this.#key, target, isKnown ? this.#shown : null, this.#place(), (answer) => {
      if (answer?.kind !== 'seen' || answer.view === null) {
        this.#clients.later(this.#number, () => this.#look())
        return
      }
      this.#sees(answer.view, answer.index)
      this.#tries = 0
      this.#add()
    })
  }

  /** Compare and put, as often as somebody else was faster; what is open is looked at first. */
  #add(): void {
    const n = this.#view?.attributes.find(({ name }) => name === 'n')?.value ?? 0
    const ops: readonly Op[] = [
      { kind: 'expect-version', of: '', version: this.#view?.version ?? 0 },
      { kind: 'set-attribute', of: '', name: 'n', value: Number(n) + 1 },
    ]
    this.#order('add', ops, (answer) => {
      const isBeaten = answer?.kind === 'conflict' && ++this.#tries < triesMost
      if (isBeaten) this.#add()
      else this.#set()
    })
  }

  #set(): void {
    this.#order('set', [], () => this.#next())
  }

  #order(kind: NamedOrder['kind'], more: readonly Op[], then: (answer: OrderAnswer | null) => void): void {
    const name = `${kind}-${this.#number}-${++this.#orders}`
    const named: NamedOrder = { key: this.#key, kind, name }
    const target = { kind: 'key', key: this.#key, create: kind === 'create' } as const
    const ops: readonly Op[] = [
      ...more,
      { kind: 'set-attribute', of: '', name: `o-${name}`, value: 1 },
      { kind: 'set-attribute', of: '', name: 'last', value: name },
    ]
    this.#clients.order(named, { application: APPLICATION, version: '1', target, ops }, this.#place(), (answer) => {
      if (answer !== null && 'view' in answer && answer.view !== null) this.#sees(answer.view, answer.index)
      then(answer)
    })
  }

  #place(): number {
    return this.#number + this.#asked++
  }

  #sees(view: SessionView, index: Index): void {
    this.#view = view
    this.#shown = { index, version: view.groupVersion }
  }
}
