// Who bans sources and takes that back: asks one living replica after another until it is sure, as a person at the command line would.
// An answer that never came, or 503, may be of something that is done later all the same: until that can't be any more, it asks again.

import type { Reply } from '../src/replica/effect.ts'
import type { BanRequest } from '../src/wire/member-request.ts'
import type { Agenda } from './agenda.ts'
import type { Machine } from './machine.ts'
import type { Trace } from './trace.ts'

const second = 1_000_000
const askAgain = 400_000
/** What was asked so long ago is done, or never will be. */
const underWayMost = 30 * second
/** The first format that has the list (docs/decisions/0030). */
const listFormat = 2
/** Ids of questions: those about the set are below. */
export const firstBanQuestion = 2_000_000

interface Question {
  readonly request: BanRequest
  readonly at: number
}

/** What is wanted of one source. */
interface Errand {
  readonly request: BanRequest
  asked: number
}

/** Hears what an operator knows of a source. */
export interface BanWatch {
  /** Something is asked about it: what was known may not hold any more. */
  asked(source: string): void
  /** It is banned for so long at least, or free. */
  known(source: string, state: { readonly kind: 'banned'; readonly until: number } | { readonly kind: 'free' }): void
}

export class BanOrders {
  readonly #agenda: Agenda
  readonly #trace: Trace
  readonly #machines: readonly Machine[]
  readonly #watch: BanWatch
  /** Those that may still be done, by id. */
  readonly #questions = new Map<number, Question>()
  /** By source. */
  readonly #errands = new Map<string, Errand>()
  #asked = 0

  constructor(agenda: Agenda, trace: Trace, machines: readonly Machine[], watch: BanWatch) {
    this.#agenda = agenda
    this.#trace = trace
    this.#machines = machines
    this.#watch = watch
  }

  /** What is still to be done, in words; null = nothing, or nothing that a set of that format can do. */
  get open(): string | null {
    if (!this.#machines.some(({ active }) => active >= listFormat)) return null
    for (const { request } of this.#errands.values()) return `"${request.kind} ${request.source}" is not done`
    return null
  }

  /** Sources of which it is not known whether they are banned, or is wanted that they are. */
  get unsure(): readonly string[] {
    return [...this.#errands.keys()]
  }

  order(request: BanRequest): void {
    const errand = { request, asked: 0 }
    this.#errands.set(request.source, errand)
    this.#ask(errand)
  }

  answered({ id, status }: Reply): void {
    const question = this.#questions.get(id)
    if (question === undefined) return
    const { request } = question
    const { kind, source } = request
    this.#trace.tell(`${kind} ${source}: ${status}`)
    if (status === 503) return
    this.#questions.delete(id)
    const errand = this.#errands.get(source)
    if (errand?.request !== request || this.#mayCome(request)) return
    this.#errands.delete(source)
    const until = kind === 'ban' && request.seconds !== null ? question.at + request.seconds * second : Infinity
    if (status === 200) this.#watch.known(source, kind === 'ban' ? { kind: 'banned', until } : { kind: 'free' })
  }

  /** Whether something else that was asked of that source may still be done. */
  #mayCome({ kind, source }: BanRequest): boolean {
    return [...this.#questions.values()].some(
      ({ request, at }) => request.source === source && request.kind !== kind && this.#agenda.now - at < underWayMost,
    )
  }

  #ask(errand: Errand): void {
    const { request } = errand
    if (this.#errands.get(request.source) !== errand) return
    errand.asked++
    const awake = this.#machines.filter(({ replica, host }) => replica !== null && host?.isAsleep === false)
    const host = awake[errand.asked % Math.max(1, awake.length)]?.host
    if (host !== undefined && host !== null) {
      const id = firstBanQuestion + ++this.#asked
      this.#questions.set(id, { request, at: this.#agenda.now })
      this.#watch.asked(request.source)
      host.deliver({ kind: 'admin', id, query: { kind: 'ban', request } })
    }
    // A little less often the longer it takes.
    this.#agenda.after(Math.min(askAgain + errand.asked * 20_000, second), () => this.#ask(errand))
  }
}
