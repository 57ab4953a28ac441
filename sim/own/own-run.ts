// A user's applications in one run: their handlers, their browsers, and what is checked of them.

import type { AppCall, ApplicationInfo } from '../../src/app/contract.ts'
import { must } from '../../src/base/assert.ts'
import type { RouterTable } from '../../src/proxy/chain.ts'
import type { HttpReply, Reply } from '../../src/replica/effect.ts'
import type { Application } from '../../src/servlet/application.ts'
import type { Store } from '../../src/store/store.ts'
import type { Applied } from '../../src/store/view.ts'
import type { Machine } from '../machine.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Plan } from '../plan.ts'
import { Browsers } from './browsers.ts'
import { Chronicle } from './chronicle.ts'
import type { OwnCall, SimulatedCall, Simulation } from './definition.ts'
import { Handlers } from './handlers.ts'
import type { Own, OwnHost, OwnWorld } from './own.ts'

const second = 1_000_000

export class OwnRun implements Own {
  readonly infos: readonly ApplicationInfo[]
  readonly #simulation: Simulation
  readonly #plan: Plan
  readonly #handlers: Handlers
  readonly #chronicle: Chronicle
  #world: OwnWorld | null = null
  #browsers: Browsers | null = null
  #kills = 0

  constructor(simulation: Simulation, plan: Plan) {
    this.#simulation = simulation
    this.#plan = plan
    this.infos = simulation.applications().map(infoOf)
    this.#handlers = new Handlers(() => simulation.applications())
    const { committed } = simulation.definition
    this.#chronicle = new Chronicle(
      () => this.#here.agenda.now,
      (session, before) => {
        if (committed !== undefined)
          this.#judge(`a session of ${session.application}`, () => committed(session, before))
      },
    )
  }

  get table(): RouterTable | null {
    return this.#simulation.table
  }

  get isWaiting(): boolean {
    return this.#handlers.waiting !== null
  }

  /** The handler that time stands still for. */
  get waiting(): string | null {
    return this.#handlers.waiting
  }

  get open(): string | null {
    return this.#browsers?.open ?? null
  }

  call(name: string): OwnCall | undefined {
    return this.#simulation.calls.get(name)
  }

  begin(world: OwnWorld): void {
    this.#world = world
    const { browsers = {} } = this.#simulation.definition
    const served = this.infos.filter(({ handlers }) => handlers.includes('doHttp')).map(({ name }) => name)
    this.#browsers = new Browsers(world, served, browsers)
  }

  /** Resolves when a handler has ended, or has asked the set something. */
  change(): Promise<void> {
    return this.#handlers.change()
  }

  ask(call: AppCall, host: OwnHost): void {
    this.#handlers.ask(call, host)
  }

  answered(reply: Reply): boolean {
    return this.#handlers.answered(reply)
  }

  answeredWeb(reply: HttpReply): void {
    this.#browsers?.answered(reply)
  }

  applied(applied: Applied, store: Store): void {
    this.#chronicle.applied(applied, store)
  }

  sent(phone: Phone, message: Message): void {
    this.#chronicle.said(phone, message)
  }

  received(phone: Phone, message: Message, text: string): void {
    this.#chronicle.heard(phone, message, text)
  }

  died(): void {
    this.#kills++
  }

  quiet(_machines: readonly Machine[], phones: readonly Phone[]): void {
    const { ended } = this.#simulation.definition
    if (ended === undefined) return
    const { seed } = this.#plan
    const calls = this.#plan.calls.map((planned, i) =>
      this.#callOf(planned.flow, planned.at, planned.number ?? i + 1, phones),
    )
    const answers = this.#browsers?.answers ?? {}
    const outage = (from: number, until: number): number =>
      this.#here.outage(Math.round(from * second), Math.round(until * second)) / second
    const run = { seed, calls, sessions: this.#chronicle.sessions, answers, kills: this.#kills, outage }
    this.#judge('the run', () => ended(run))
  }

  #callOf(name: string, at: number, number: number, phones: readonly Phone[]): SimulatedCall {
    const of = phones.filter(({ options }) => options.call === number)
    const shown = (phone: Phone): SimulatedCall['callee'] => this.#chronicle.phone(phone, phone.user)
    const caller = of.find(({ side }) => side === 'caller')
    const callee = must(
      of.find(({ side }) => side === 'callee'),
      'each call has a callee',
    )
    return {
      name,
      at: at / second,
      caller: caller === undefined ? null : shown(caller),
      callee: shown(callee),
      excused: this.#here.excuseOf(number),
    }
  }

  #judge(what: string, check: () => string | null | undefined | void): void {
    let wrong: string | null
    try {
      wrong = check() ?? null
    } catch (error) {
      wrong = error instanceof Error ? error.message : String(error)
    }
    if (wrong !== null) this.#here.report('application', `${what}: ${wrong}`)
  }

  get #here(): OwnWorld {
    return must(this.#world, 'the run has begun')
  }
}

function infoOf({ name, version, handlers }: Application): ApplicationInfo {
  return { name, version: version ?? '1', handlers }
}
