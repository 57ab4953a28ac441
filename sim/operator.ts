// Who changes the set: asks one living replica after another until what is wanted is so, as a person at the command line would,
// and starts replicas with empty disks once the set has told who they are.

import { placeOf } from '../src/base/brand.ts'
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
/** The first format that has a member book (docs/decisions/0020). */
const bookFormat = 2
/** Ids of questions: lookups of calls are below. */
const firstQuestion = 1_000_000

interface Errand {
  readonly request: MemberRequest
  /** What to do with an answer that has not refused it; true = it is done. */
  readonly take: (answer: MemberAnswer & { readonly ok: true }) => boolean
  asked: number
  readonly askedMost: number
}

interface Surroundings {
  /** A replica came. */
  came(): void
  /** The set's name has an address for that place, or not any more. */
  listed(place: number, is: boolean): void
}

export class Operator {
  readonly #agenda: Agenda
  readonly #seed: number
  readonly #trace: Trace
  readonly #machines: readonly Machine[]
  readonly #surroundings: Surroundings
  readonly #questions = new Map<number, Errand>()
  readonly #errands = new Set<Errand>()
  /** Incarnations whose disks are lost, until no configuration has them. */
  readonly #lost = new Set<ReplicaId>()
  /** Places to which an empty disk is to come, but it has not been asked for. */
  readonly #awaited = new Set<number>()
  #asked = 0

  constructor(agenda: Agenda, seed: number, trace: Trace, machines: readonly Machine[], surroundings: Surroundings) {
    this.#agenda = agenda
    this.#seed = seed
    this.#trace = trace
    this.#machines = machines
    this.#surroundings = surroundings
    for (const machine of machines) machine.onEndOfItself = () => this.#startAgain(machine)
  }

  /** What is still to be done, in words; null = nothing, or nothing that a set of that format can do. */
  get open(): string | null {
    if (!this.#hasBook) return null
    for (const place of this.#awaited) return `replica ${place} is awaited`
    for (const { request, askedMost } of this.#errands) {
      if (askedMost === Infinity) return `"${request.kind} ${request.place}" is not done`
    }
    return null
  }

  /** Whether the set writes a format that has a member book. */
  get #hasBook(): boolean {
    return this.#machines.some(({ active }) => active >= bookFormat)
  }

  transfer(place: number): void {
    this.#begin({ kind: 'transfer', place }, ({ stage }) => stage.kind === 'done', transfersMost)
  }

  remove(place: number): void {
    this.#forget(place)
    this.#begin({ kind: 'remove', place }, ({ stage }) => {
      if (stage.kind === 'done') this.#surroundings.listed(place, false)
      return stage.kind === 'done'
    })
  }

  /** A place that the set has not had, or not any more, or has been told to give up. */
  add(machine: Machine): void {
    const { place } = machine
    this.#forget(place)
    this.#begin({ kind: 'add', place, ...addressesOf(place) }, ({ stage }) => {
      if (!machine.isMember && !this.#isJoining(place)) this.#join(machine)
      return stage.kind === 'done'
    })
  }

  /** A disk is lost with its process, if a quorum is left without it whatever is being changed just now; an empty one comes later. */
  replace(machine: Machine, after: number): boolean {
    if (!this.#mayLose(machine)) return false
    const { place } = machine
    this.#lost.add(machine.id)
    machine.lose()
    this.#awaited.add(place)
    this.#agenda.after(after, () => {
      if (this.#awaited.delete(place)) this.#join(machine)
    })
    return true
  }

  /** An empty disk comes to that place. */
  #join(machine: Machine): void {
    const { place } = machine
    const incarnation = drawHex(this.#seed, `incarnation ${place} at ${this.#agenda.now}`, 8)
    this.#begin({ kind: 'join', place, incarnation, ...addressesOf(place) }, ({ id }) => {
      if (id === null) return false
      this.#trace.tell(`[${place}] comes with an empty disk, as incarnation ${id}`)
      machine.become(id, incarnation, this.#agenda.now)
      this.#surroundings.listed(place, true)
      this.#surroundings.came()
      return true
    })
  }

  /** It was to leave the set, and is wanted in it after all. */
  #startAgain(machine: Machine): void {
    this.#agenda.after(askAgain, () => {
      machine.start(this.#agenda.now)
      this.#surroundings.came()
    })
  }

  /** What was wanted of that place is not wanted any more. */
  #forget(place: number): void {
    this.#awaited.delete(place)
    for (const errand of [...this.#errands])
      if (errand.request.place === place && errand.request.kind !== 'transfer') this.#errands.delete(errand)
  }

  #isJoining(place: number): boolean {
    return this.#awaited.has(place) || this.#isAsked('join', place)
  }

  #isAsked(kind: MemberRequest['kind'], place: number): boolean {
    return [...this.#errands].some(({ request }) => request.kind === kind && request.place === place)
  }

  /** Whether a disk is lost that may yet have to vote, not counting that place's. */
  #countsOnLost(but: number | null = null): boolean {
    for (const id of [...this.#lost])
      if (!this.#configurations().some((half) => half.includes(id))) this.#lost.delete(id)
    return [...this.#lost].some((id) => placeOf(id) !== but)
  }

  /** The halves of all configurations that may come to decide. */
  #configurations(): readonly (readonly ReplicaId[])[] {
    const members = this.#machines.filter(({ isMember }) => isMember)
    const known = members.flatMap(({ voters }) => (voters === null ? [] : [voters.incoming, voters.outgoing]))
    return known.filter((half) => half.length > 0)
  }

  /** One at a time, and only where three are left to vote when all is done that was asked for: so two of them have what it had. */
  #mayLose(machine: Machine): boolean {
    if (!machine.isMember || !this.#hasBook || this.#countsOnLost()) return false
    const stays = (id: ReplicaId): boolean => !this.#isAsked('remove', placeOf(id))
    return this.#configurations().every((half) => !half.includes(machine.id) || half.filter(stays).length >= 3)
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
    const { request } = errand
    // Nobody takes away a replica while the disk of another is lost.
    const isHeld = request.kind === 'remove' && this.#countsOnLost(request.place)
    const awake = this.#machines.filter(({ replica, host }) => replica !== null && host?.isAsleep === false)
    const host = awake[errand.asked % Math.max(1, awake.length)]?.host
    if (host !== undefined && host !== null && !isHeld) {
      const id = firstQuestion + ++this.#asked
      this.#questions.set(id, errand)
      host.deliver({ kind: 'admin', id, query: { kind: 'member', request } })
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
