// Browsers of a user's simulation: each asks what its script says, at one replica or another, keeps its cookies, and is told of a death by
// its connection, which breaks.

import type { HttpReply } from '../../src/replica/effect.ts'
import { latin1Bytes, latin1Text } from '../../src/base/bytes.ts'
import { SESSION_PARAMETER } from '../../src/servlet/http-context.ts'
import { fromWire, toWire } from '../../src/servlet/utf8.ts'
import { draw } from '../draws.ts'
import type { BrowserAnswer, BrowserRequest, BrowserScript } from './definition.ts'
import type { OwnWorld } from './own.ts'

const second = 1_000_000
/** Calls begin after this, too (own-plan.ts). */
const firstRequest = 3 * second
/** Longer than a replica takes for any answer. */
const patience = 12 * second
/** How soon a browser sees that its connection is broken. */
const look = 50_000
/** Ids of requests: those of the simulator's own browsers are below. */
const FIRST = 1_000_000
/** Requests of one browser: who asks more is not done. */
const requestsMost = 1_000

interface Browser {
  readonly name: string
  readonly number: number
  readonly script: BrowserScript
  readonly answers: BrowserAnswer[]
  /** By the name of the cookie. */
  readonly cookies: Map<string, string>
  isDone: boolean
}

export class Browsers {
  readonly #world: OwnWorld
  /** The application of a path, whose first part is its name. */
  readonly #applications: readonly string[]
  readonly #browsers: readonly Browser[]
  readonly #waiting = new Map<number, Browser>()
  /** The application that each asked last. */
  readonly #asking = new Map<Browser, string>()
  #asked = FIRST

  constructor(world: OwnWorld, applications: readonly string[], scripts: Readonly<Record<string, BrowserScript>>) {
    this.#world = world
    this.#applications = applications
    this.#browsers = Object.entries(scripts).map(([name, script], number) => {
      const cookies = new Map<string, string>()
      return { name, number, script, answers: [], cookies, isDone: false }
    })
    for (const browser of this.#browsers) world.agenda.at(firstRequest, () => this.#next(browser))
  }

  get open(): string | null {
    const browser = this.#browsers.find(({ isDone }) => !isDone)
    return browser === undefined ? null : `browser ${browser.name} is not done`
  }

  get answers(): Readonly<Record<string, readonly BrowserAnswer[]>> {
    return Object.fromEntries(this.#browsers.map(({ name, answers }) => [name, answers]))
  }

  answered({ id, answer }: HttpReply): void {
    const browser = this.#waiting.get(id)
    if (browser === undefined) return
    this.#waiting.delete(id)
    if (answer.kind === 'failed') return this.#told(browser, answer.status, new Map(), answer.reason)
    const { response, cookie } = answer
    const headers = new Map(response.headers.map(([name, value]) => [name.toLowerCase(), value]))
    const asked = this.#asking.get(browser) ?? ''
    if (cookie?.kind === 'set') browser.cookies.set(asked, cookie.value)
    else if (cookie?.kind === 'clear') browser.cookies.delete(asked)
    this.#told(browser, response.status, headers, fromWire(latin1Text(response.body)))
  }

  #next(browser: Browser): void {
    if (browser.answers.length >= requestsMost)
      return this.#wrong(browser, `has asked ${requestsMost} times, and is not done`)
    let request: BrowserRequest | null
    try {
      request = browser.script(browser.answers)
    } catch (error) {
      return this.#wrong(browser, error instanceof Error ? error.message : String(error))
    }
    if (request === null) return void (browser.isDone = true)
    const { after = 0.2 } = request
    this.#world.agenda.after(Math.round(after * second), () => this.#ask(browser, request))
  }

  #ask(browser: Browser, { method = 'GET', url: given, headers = {}, body = '' }: BrowserRequest): void {
    const { machines, seed, trace, agenda } = this.#world
    const id = ++this.#asked
    const url = new URL(given, 'http://set/')
    const application = this.#applications.find((name) => url.pathname.startsWith(`/${name}/`))
    if (application === undefined)
      return this.#wrong(
        browser,
        `asks for ${given}; applications are at ${this.#applications.map((name) => `/${name}/`).join(', ')}`,
      )
    const machine = machines[draw(seed, 'own browsers').below(machines.length, browser.number, browser.answers.length)]
    const host = machine?.host ?? null
    trace.tell(`browser ${browser.name} asks [${machine?.place ?? 0}] for ${method} ${given} by ${id}`)
    this.#asking.set(browser, application)
    this.#waiting.set(id, browser)
    host?.deliver({
      kind: 'http',
      id,
      application,
      prefix: `/${application}`,
      cookie: browser.cookies.get(application) ?? '',
      session: url.searchParams.get(SESSION_PARAMETER) ?? '',
      request: { method, url: url.href, headers: Object.entries(headers), body: latin1Bytes(toWire(body)) },
    })
    this.#wait(browser, id, () => host === null || machine?.host !== host, agenda.now + patience)
  }

  /** Its connection breaks with the replica's death. */
  #wait(browser: Browser, id: number, isDead: () => boolean, until: number): void {
    this.#world.agenda.after(look, () => {
      if (!this.#waiting.has(id)) return
      if (!isDead() && this.#world.agenda.now < until) return this.#wait(browser, id, isDead, until)
      this.#waiting.delete(id)
      this.#told(browser, 0, new Map(), '')
    })
  }

  #told(browser: Browser, status: number, headers: ReadonlyMap<string, string>, body: string): void {
    browser.answers.push({ status, headers, body, at: this.#world.agenda.now / second })
    this.#next(browser)
  }

  #wrong(browser: Browser, what: string): void {
    browser.isDone = true
    this.#world.report('application', `browser ${browser.name}: ${what}`)
  }
}
