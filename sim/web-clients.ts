// Browsers: each asks one replica after another for what the application `pages` has, with the cookie that it was given, and goes on when
// it has its answer, or has waited long enough. Some of what they show is forged.

import type { HttpReply } from '../src/replica/effect.ts'
import type { Agenda } from './agenda.ts'
import { draw } from './draws.ts'
import type { Draw } from './draws.ts'
import type { Machine } from './machine.ts'
import { NUMBER, shownBy } from './pages.ts'
import type { Plan, PlannedBrowser } from './plan.ts'
import type { Trace } from './trace.ts'

/** Longer than a replica takes for a lookup and an order. */
const patience = 5_000_000

/** How soon a browser sees that its connection is broken. */
const look = 50_000
/** Who finds no session so often goes away: the call is over, or never began. */
const lostMost = 20

/** What a request shows of the session that it is about. */
export type Showing = 'cookie' | 'url' | 'forged' | 'nothing'

export interface WebWatch {
  /** `session`: the one that it shows, as far as the browser knows; '' = none. */
  asked(id: number, request: { readonly browser: number; readonly showing: Showing; readonly session: string }): void
  /** The browser doesn't wait for that any more. */
  gaveUp(id: number): void
}

interface Browser {
  readonly number: number
  readonly planned: PlannedBrowser
  readonly callId: string
  cookie: string
  /** The session of that cookie. */
  session: string
  asked: number
  /** How often it was about no session since it was about one. */
  lost: number
  /** The request that it waits for. */
  open: number | null
  /** Whether that shows what nobody gave it: what is answered to that is nothing to the browser. */
  isForging: boolean
}

export class WebClients {
  readonly #agenda: Agenda
  readonly #trace: Trace
  readonly #machines: readonly Machine[]
  readonly #watch: WebWatch
  readonly #draw: Draw
  readonly #waiting = new Map<number, Browser>()
  readonly #browsers: readonly Browser[]
  #asked = 0

  constructor(
    agenda: Agenda,
    plan: Plan,
    trace: Trace,
    machines: readonly Machine[],
    watch: WebWatch,
    callIdOf: (call: number) => string,
  ) {
    this.#agenda = agenda
    this.#trace = trace
    this.#machines = machines
    this.#watch = watch
    this.#draw = draw(plan.seed, 'browsers')
    this.#browsers = (plan.browsers ?? []).map((planned, i) => ({
      ...{ number: i + 1, planned, callId: planned.call === null ? '' : callIdOf(planned.call) },
      ...{ cookie: '', session: '', asked: 0, lost: 0, open: null, isForging: false },
    }))
    for (const browser of this.#browsers) agenda.at(browser.planned.at, () => this.#ask(browser))
  }

  /** Requests so far. */
  get asked(): number {
    return this.#asked
  }

  answeredWeb(effect: HttpReply): void {
    const browser = this.#waiting.get(effect.id)
    if (browser === undefined) return
    this.#waiting.delete(effect.id)
    browser.open = null
    const { answer } = effect
    if (answer.kind === 'response') {
      const shown = shownBy(answer.response.body)
      if (!browser.isForging) browser.lost = shown.id === '' ? browser.lost + 1 : 0
      if (browser.isForging) this.#trace.tell(`browser ${browser.number} has shown a forged cookie`)
      else if (answer.cookie?.kind === 'set') {
        browser.cookie = answer.cookie.value
        browser.session = shown.id
      } else if (answer.cookie?.kind === 'clear') [browser.cookie, browser.session] = ['', '']
      this.#trace.tell(`browser ${browser.number} is shown ${shown.marks.length} marks by ${effect.id}`)
    } else this.#trace.tell(`browser ${browser.number} is told ${answer.status} by ${effect.id}: ${answer.reason}`)
    const think = answer.kind === 'response' ? browser.planned.think : 200_000
    this.#agenda.after(this.#draw.within(10, think, 1, effect.id), () => this.#ask(browser))
  }

  #ask(browser: Browser): void {
    const { planned, number, callId } = browser
    if (browser.asked >= planned.requests || this.#agenda.now > planned.until || browser.lost > lostMost) return
    const nth = ++browser.asked
    const id = ++this.#asked
    const of = (bound: number, about: number): number => this.#draw.below(bound, about, number, nth)
    const machine = this.#machines[of(this.#machines.length, 2)]
    const showing = this.#showing(browser, of(100, 3))
    const { deed, session } = this.#deed(browser, showing, of(100, 4))
    const url = `http://set/${deed === 'bind' ? `bind/${callId}` : deed}`
    // A browser shows its cookie whatever the URL says.
    const cookie = showing === 'forged' ? this.#forged(browser.cookie, of(4, 5)) : browser.cookie
    const request = { method: 'GET', url, headers: [[NUMBER, String(id)]], body: new Uint8Array() } as const
    const inUrl = showing === 'url' ? session : ''
    this.#trace.tell(`browser ${number} asks [${machine?.place ?? 0}] for ${deed} by ${id}, showing ${showing}`)
    browser.open = id
    browser.isForging = showing === 'forged'
    this.#waiting.set(id, browser)
    this.#watch.asked(id, { browser: number, showing, session: showing === 'nothing' ? '' : session })
    machine?.host?.deliver({ kind: 'http', id, application: 'pages', request, prefix: '', cookie, session: inUrl })
    this.#wait(browser, id, machine, machine?.host ?? null, this.#agenda.now + patience)
  }

  /** Its connection breaks with the replica's death. */
  #wait(browser: Browser, id: number, machine: Machine | undefined, host: Machine['host'], until: number): void {
    this.#agenda.after(look, () => {
      if (browser.open !== id) return
      if (host === null || machine?.host !== host || this.#agenda.now >= until) this.#giveUp(browser, id)
      else this.#wait(browser, id, machine, host, until)
    })
  }

  #showing(browser: Browser, drawn: number): Showing {
    if (browser.cookie === '') return 'nothing'
    return drawn < 85 ? 'cookie' : drawn < 93 ? 'url' : 'forged'
  }

  #deed({ planned, session }: Browser, showing: Showing, drawn: number): { deed: string; session: string } {
    if (showing === 'nothing') return { deed: planned.call === null ? 'new' : 'bind', session }
    if (showing === 'forged') return { deed: 'read', session }
    return { deed: drawn < 88 ? 'read' : 'update', session }
  }

  /** A version or an index that is another one, another MAC, or none. */
  #forged(cookie: string, which: number): string {
    const parts = cookie.split('.')
    const part = [1, 2, 4][which]
    if (part === undefined) return parts.slice(0, -1).join('.')
    return parts.map((text, i) => (i === part ? text.slice(0, -1) + (text.endsWith('0') ? '1' : '0') : text)).join('.')
  }

  /** The replica died with it, or sleeps. */
  #giveUp(browser: Browser, id: number): void {
    if (browser.open !== id) return
    this.#waiting.delete(id)
    browser.open = null
    this.#watch.gaveUp(id)
    this.#trace.tell(`browser ${browser.number} waits for ${id} no more`)
    this.#ask(browser)
  }
}
