// C9 for browsers: a response shows nothing older than what its browser was shown before, at whatever replica; who comes by a URL alone is
// shown what was committed when it asked, or newer. And L12: a response that tells of a change leaves once that is in the log. What isn't
// the set's own cookie is about no session; what is, is about that one as long as it lasts.

import { entityValue } from '../../src/call/entities.ts'
import { unpackValue } from '../../src/app/packed.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Commit } from '../../src/wire/entry.ts'
import { HEARD, listOf } from '../applications.ts'
import type { Machine } from '../machine.ts'
import type { Marks } from '../marks/coverage.ts'
import { shownBy } from '../pages.ts'
import type { Showing, WebWatch } from '../web-clients.ts'
import type { Checker, Report } from './checker.ts'

interface Asked {
  readonly browser: number
  readonly showing: Showing
  readonly session: string
  /** How many marks each session had in the log when this was asked. */
  readonly committed: number
  /** Whether that session was valid then. */
  readonly isValid: boolean
}

export class WebReads implements Checker, WebWatch {
  readonly #report: Report
  readonly #marks: Marks
  readonly #asked = new Map<number, Asked>()
  /** By group, what is committed. */
  readonly #committed = new Map<string, readonly string[]>()
  /** By group, when its session was created, if it is valid. */
  readonly #valid = new Map<string, number>()
  /** By session. */
  readonly #groups = new Map<string, string>()
  /** By browser and session. */
  readonly #shown = new Map<string, readonly string[]>()

  constructor(report: Report, marks: Marks) {
    this.#report = report
    this.#marks = marks
  }

  asked(id: number, { browser, showing, session }: Parameters<WebWatch['asked']>[1]): void {
    const group = this.#groups.get(session) ?? ''
    const committed = this.#committed.get(group)?.length ?? 0
    this.#asked.set(id, { browser, showing, session, committed, isValid: this.#isValid(session) })
  }

  gaveUp(id: number): void {
    this.#asked.delete(id)
  }

  accepted(commit: Commit): void {
    for (const put of commit.puts) {
      const value = entityValue(put)
      if (value.kind !== 'application-session') continue
      if (value.hosted?.isValid === true) this.#valid.set(commit.group, value.created)
      else this.#valid.delete(commit.group)
      const attribute = value.hosted?.attributes.find(({ name }) => name === HEARD)
      // A session that is over has none; what it had was committed all the same.
      if (attribute !== undefined) this.#committed.set(commit.group, listOf(unpackValue(attribute.bytes)).map(String))
    }
  }

  /** A session's name says when it was created (proxy/session-token.ts): its group may have another one by now. */
  #isValid(session: string): boolean {
    const created = this.#valid.get(this.#groups.get(session) ?? '')
    return created !== undefined && session.endsWith(`-${created.toString(36)}`)
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind !== 'http' || effect.answer.kind !== 'response') return
    const asked = this.#asked.get(effect.id)
    if (asked === undefined) return
    this.#asked.delete(effect.id)
    const { id, group, marks } = shownBy(effect.answer.response.body)
    const who = `replica ${machine.id}, asked by browser ${asked.browser} (${effect.id}),`
    if (asked.showing === 'forged' && id !== '') return this.#report('C9', `${who} takes a forged cookie`)
    if (id === '') {
      const shown = asked.showing === 'cookie' || asked.showing === 'url'
      if (shown && asked.isValid && this.#isValid(asked.session))
        this.#report('C9', `${who} knows no session by its ${asked.showing}; ${asked.session} is there`)
      return
    }
    this.#groups.set(id, group)
    const key = `${asked.browser} ${id}`
    const before = this.#shown.get(key) ?? []
    this.#marks.reached('web-read-after-a-response', before.length > 0)
    if (!before.every((mark, i) => marks[i] === mark)) {
      this.#report('C9', `${who} shows ${marks.length} marks of ${id}, and ${before.length} were shown before`)
    }
    if (asked.showing === 'url' && marks.length < asked.committed) {
      this.#report('C9', `${who} shows ${marks.length} marks of ${id} by its URL; ${asked.committed} were committed`)
    }
    const own = `doHttp ${effect.id}`
    const isIn = (this.#committed.get(group) ?? []).includes(own)
    if (marks.includes(own) && !isIn) this.#report('L12', `${who} tells of a change that is not committed`)
    this.#shown.set(key, marks)
  }
}
