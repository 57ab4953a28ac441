// Who changes the set: asks one living replica after another until what is wanted is so, as a person at the command line would,
// and starts replicas with empty disks once the set has told who they are.

import type { ReplicaId } from '../src/base/brand.ts'
import type { Reply } from '../src/replica/effect.ts'
import type { MemberAnswer, MemberRequest } from '../src/wire/member-request.ts'
import type { Agenda } from './agenda.ts'
import { drawHex } from './draws.ts'
import type { Machine } from './machine.ts'
import type { Trace } from './trace.ts'

const second = 1_000_000
const askAgain = 400_000
/** Leadership is asked for a few times only: nobody depends on it. */
const transfersMost = 5
/** Ids of questions: lookups of calls are below. */
const firstQuestion = 1_000_000

interface Errand {
  readonly request: MemberRequest
  /** What to do with an answer that has not refused it; true = it is done. */
  readonly take: (answer: MemberAnswer & { readonly ok: true }) => boolean
  asked: number
  readonly askedMost: number
}

export class Operator {
  readonly #agenda: Agenda
  readonly #seed: number
  readonly #trace: Trace
  readonly #machines: readonly Machine[]
  readonly #questions = new Map<number, Errand>()
  readonly #errands = new Set<Errand>()
  #asked = 0

  constructor(agenda: Agenda, seed: number, trace: Trace, machines: readonly Machine[]) {
    this.#agenda = agenda
    this.#seed = seed
    this.#trace = trace
    this.#machines = machines
  }

  /** What is still to be done, in words; null = nothing. */
  get open(): string | null {
    for (const { request, askedMost } of this.#errands) {
      if (askedMost === Infinity) return `"${request.kind} ${request.place}" is not done`
    }
    return null
  }

  transfer(place: number): void {
    this.#begin({ kind: 'transfer', place }, ({ stage }) => stage.kind === 'done', transfersMost)
  }

  remove(place: number): void {
    this.#begin({ kind: 'remove', place }, ({ stage }) => stage.kind === 'done')
  }

  /** A place that the set has not had, or not any more. */
  add(machine: Machine): void {
    const add = { kind: 'add', place: machine.place, ...addressesOf(machine.place) } as const
    this.#begin(add, () => {
      this.join(machine)
      return true
    })
  }

  /** An empty disk comes to that place. */
  join(machine: Machine): void {
    const { place } = machine
    const incarnation = drawHex(this.#seed, `incarnation ${place} at ${this.#agenda.now}`, 8)
    this.#begin({ kind: 'join', place, incarnation, ...addressesOf(place) }, ({ id }) => {
      if (id === null) return false
      this.#starts(machine, id, incarnation)
      return true
    })
  }

  #starts(machine: Machine, id: ReplicaId, incarnation: string): void {
    this.#trace.tell(`[${machine.place}] comes with an empty disk, as incarnation ${id}`)
    machine.become(id, incarnation, this.#agenda.now)
  }

  #begin(request: MemberRequest, take: Errand['take'], askedMost = Infinity): void {
    const errand: Errand = { request, take, asked: 0, askedMost }
    this.#errands.add(errand)
    this.#ask(errand)
  }

  #ask(errand: Errand): void {
    if (!this.#errands.has(errand)) return
    if (errand.asked >= errand.askedMost) return void this.#errands.delete(errand)
    errand.asked++
    const awake = this.#machines.filter(({ replica, host }) => replica !== null && host?.isAsleep === false)
    const host = awake[errand.asked % Math.max(1, awake.length)]?.host
    if (host !== undefined && host !== null) {
      const id = firstQuestion + ++this.#asked
      this.#questions.set(id, errand)
      host.deliver({ kind: 'admin', id, query: { kind: 'member', request: errand.request } })
    }
    // A little less often the longer it takes.
    this.#agenda.after(Math.min(askAgain + errand.asked * 20_000, second), () => this.#ask(errand))
  }

  answered({ id, status, body }: Reply): void {
    const errand = this.#questions.get(id)
    this.#questions.delete(id)
    if (errand === undefined || !this.#errands.has(errand)) return
    const answer = body as MemberAnswer
    // The place was removed meanwhile: nobody is to come to it.
    if (status === 404) this.#errands.delete(errand)
    if (!answer.ok) this.#trace.tell(`${errand.request.kind} ${errand.request.place}: ${answer.error}`)
    else if (errand.take(answer)) this.#errands.delete(errand)
  }
}

function addressesOf(place: number): { readonly peer: string; readonly admin: string } {
  return { peer: `10.3.0.${place}:8160`, admin: `10.3.0.${place}:8060` }
}
