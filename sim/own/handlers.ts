// Runs the handlers of a user's applications, one life of a replica at a time as a worker of it would: what they do goes back as an
// answer, what they ask about other sessions goes to the replica that asked them. A handler that is async is waited for, while the
// simulated time stands still; unless it waits for what it asked the set, which takes as long as that takes.

import type { AppAnswer, AppCall } from '../../src/app/contract.ts'
import type { LookupAnswer, OrderAnswer } from '../../src/app/orders.ts'
import type { Application } from '../../src/servlet/application.ts'
import { answerHttp } from '../../src/host/http-turn.ts'
import type { SessionPorts } from '../../src/servlet/other-sessions.ts'
import { failed, runHandler } from '../../src/servlet/run-handler.ts'
import type { Reply } from '../../src/replica/effect.ts'
import type { AdminInput } from '../../src/replica/input.ts'
import type { OwnHost } from './own.ts'

/** Above all other ids of questions (order-clients.ts). */
const FIRST = 6_000_000
/** What a handler that goes on does before it waits again: so many promises of its own, one after another. */
const TICKS = 100

interface Running {
  readonly name: string
  readonly host: OwnHost
  /** What it has asked the set. */
  asking: number
}

export class Handlers {
  readonly #make: () => readonly Application[]
  /** By life. */
  readonly #loaded = new Map<OwnHost, readonly Application[]>()
  readonly #running = new Set<Running>()
  readonly #questions = new Map<number, (body: unknown) => void>()
  #asked = FIRST
  #changed: () => void = () => undefined

  constructor(make: () => readonly Application[]) {
    this.#make = make
  }

  /** A handler that nobody of the simulated world can help; null = none. */
  get waiting(): string | null {
    for (const one of this.#running) if (one.asking === 0 && !one.host.isOver()) return one.name
    return null
  }

  /** Resolves when a handler has ended, or has asked the set something. */
  async change(): Promise<void> {
    // oxlint-disable-next-line promise/avoid-new -- what happens is told by a call
    await new Promise<void>((resolve) => (this.#changed = resolve))
    for (let i = 0; i < TICKS; i++) await undefined
  }

  ask(call: AppCall, host: OwnHost): void {
    const application = this.#applicationsOf(host).find(({ name }) => name === call.application)
    if (application === undefined)
      return host.answer(call, { kind: 'failed', reason: `there is no application ${call.application}` })
    const one: Running = { name: `${call.handler} of ${call.application}`, host, asking: 0 }
    const answer = (of: AppAnswer): void => host.answer(call, of)
    if (call.handler === 'doHttp') {
      return this.#follow(one, answerHttp(application, call, failed, this.#portsOf(one)), answer)
    }
    const run = runHandler(application, call, failed, this.#portsOf(one))
    if (run.kind === 'answered') return answer(run.answer)
    const { pending } = run
    const later = async (): Promise<AppAnswer> => {
      try {
        const result: unknown = await pending.result
        return { kind: 'done', ops: pending.finish(), result }
      } catch (error) {
        return failed(error)
      }
    }
    this.#follow(one, later(), answer)
  }

  /** False: that was no question of a handler's. */
  answered({ id, body }: Reply): boolean {
    this.#questions.get(id)?.(body)
    return id >= FIRST
  }

  #applicationsOf(host: OwnHost): readonly Application[] {
    for (const known of this.#loaded.keys()) if (known.isOver()) this.#loaded.delete(known)
    const loaded = this.#loaded.get(host) ?? this.#make()
    this.#loaded.set(host, loaded)
    return loaded
  }

  #follow(one: Running, answer: Promise<AppAnswer>, then: (answer: AppAnswer) => void): void {
    this.#running.add(one)
    void answer.then((of) => {
      this.#running.delete(one)
      if (!one.host.isOver()) then(of)
      this.#changed()
    })
  }

  #portsOf(one: Running): SessionPorts {
    return {
      look: (lookup) => this.#question<LookupAnswer>(one, { kind: 'session', lookup }),
      order: (order) => this.#question<OrderAnswer>(one, { kind: 'order', order }),
    }
  }

  #question<T>(one: Running, query: AdminInput['query']): Promise<T> {
    const id = ++this.#asked
    one.asking++
    // oxlint-disable-next-line promise/avoid-new -- what happens is told by a call
    const answer = new Promise<T>((resolve) => {
      this.#questions.set(id, (body) => {
        this.#questions.delete(id)
        one.asking--
        resolve(body as T)
      })
    })
    one.host.ask(id, query)
    this.#changed()
    return answer
  }
}
