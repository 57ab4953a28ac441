// What an application did is in the log once (decision 0031; C3), whatever died, and a message that it was to hear of is not missing
// (C2). Nothing of a handler that failed, or of an answer that was refused, is there at all (C4); and a message that an application is
// asked about leaves only once its turn is committed (L12). Read in what is committed, from the attribute in which sim/applications.ts
// counts.

import { entityValue } from '../../src/call/entities.ts'
import { unpackValue } from '../../src/app/packed.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Commit } from '../../src/wire/entry.ts'
import { HEARD, listOf } from '../applications.ts'
import type { ApplicationName } from '../applications.ts'
import type { Machine } from '../machine.ts'
import { callIdOf, cseqOf, readMessage, tagOf } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Checker, Report } from './checker.ts'

/** A quorum that is back has still to elect, and knows of nobody who serves. */
const electing = 5_000_000

/** Handlers that always come to an end, whose marks are never missing. */
const JUDGED: Partial<Record<ApplicationName, readonly string[]>> = {
  counts: ['doInvite', 'doInfo', 'doBye', 'doCancel'],
  chain: ['doInvite', 'doInfo', 'doBye', 'doCancel'],
  'chain-keyed': ['doInvite', 'doInfo', 'doBye', 'doCancel'],
  hangs: ['doInvite', 'doBye'],
  // Its session is over with the call that it ends: a BYE that crosses that is told to nobody.
  'cuts-off': ['doInvite'],
  keyed: ['doInvite', 'doInfo', 'doBye', 'doCancel'],
}

export class AppEffects implements Checker {
  readonly #report: Report
  readonly #application: ApplicationName
  readonly #now: () => number
  readonly #outage: (from: number, until: number) => number
  /** By group: the marks, in the order of the log. */
  readonly #heard = new Map<string, readonly string[]>()
  /** Those of sessions that were there before. */
  readonly #earlier = new Map<string, readonly string[]>()
  /** By group: when its session began. */
  readonly #created = new Map<string, number>()
  /** When each request was sent first. */
  readonly #asked = new Map<string, number>()
  /** Groups whose session is invalid: nobody is asked about what comes late. */
  readonly #over = new Set<string>()
  /** Requests that a replica relayed without asking anybody. */
  readonly #detached = new Set<string>()
  /** By Call-ID: one, or one for each application of a chain. */
  readonly #groups = new Map<string, Set<string>>()
  /** Requests in dialogs that the phones said, and that were answered with a 200: by call, as marks without their branch. */
  readonly #answered = new Map<Phone, Set<string>>()

  /** `outage`: how long there was no quorum between two times. */
  constructor(
    report: Report,
    application: ApplicationName,
    now: () => number,
    outage: (from: number, until: number) => number,
  ) {
    this.#report = report
    this.#now = now
    this.#outage = outage
    this.#application = application
  }

  accepted(commit: Commit): void {
    for (const put of commit.puts) {
      const value = entityValue(put)
      if (value.kind === 'session')
        this.#groups.set(value.callId, (this.#groups.get(value.callId) ?? new Set()).add(commit.group))
      if (value.kind !== 'application-session') continue
      if (value.hosted?.isValid === false) this.#over.add(commit.group)
      if (this.#created.get(commit.group) !== value.created) this.#beginsAnew(commit.group)
      this.#created.set(commit.group, value.created)
      const attribute = value.hosted?.attributes.find(({ name }) => name === HEARD)
      const marks = attribute === undefined ? [] : listOf(unpackValue(attribute.bytes)).map(String)
      this.#changed(commit.group, marks)
    }
  }

  /** Another session takes the place of the one before: a key's next one. */
  #beginsAnew(group: string): void {
    this.#earlier.set(group, this.#allHeard(group))
    this.#heard.delete(group)
    this.#over.delete(group)
  }

  #allHeard(group: string): readonly string[] {
    return [...(this.#earlier.get(group) ?? []), ...(this.#heard.get(group) ?? [])]
  }

  #changed(group: string, marks: readonly string[]): void {
    const before = this.#heard.get(group) ?? []
    this.#heard.set(group, marks)
    const kept = before.every((mark, i) => marks[i] === mark)
    if (!kept) this.#report('C4', `group ${group}: a turn did not see the one before it: ${marks.join(', ')}`)
    // Commits that had not left are one (docs/decisions/0012), and so may be several turns.
    const twice = marks.find((mark, i) => marks.indexOf(mark) !== i)
    if (twice !== undefined) this.#report('C3', `group ${group}: ${twice} was handled twice`)
    const refused = marks.find((mark) => mark.startsWith('!'))
    if (refused !== undefined)
      this.#report('C4', `group ${group}: ${refused.slice(1)} is there although its turn was refused`)
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind !== 'send') return
    if (effect.origin === null) return this.#relaysDetached(effect.data)
    if (this.#application !== 'counts') return
    const message = readMessage(effect.data)
    if (typeof message === 'string' || message.kind !== 'request' || message.method !== 'INFO') return
    if (this.#over.has(effect.origin.group) || this.#has(effect.origin.group, 'doInfo', message)) return
    this.#report('L12', `replica ${machine.id} sends an INFO whose handler's turn is not committed`)
  }

  /** Who is cut off from the others relays what is said in calls, and tells nobody (design.md 7). */
  #relaysDetached(data: string): void {
    const message = readMessage(data)
    if (typeof message !== 'string' && message.kind === 'request') this.#detached.add(saidIn(message))
  }

  #has(group: string, handler: string, message: Message): boolean {
    const { method, number } = cseqOf(message)
    return (this.#heard.get(group) ?? []).some((mark) => mark.startsWith(`${handler} ${method} ${number} `))
  }

  sent(phone: Phone, message: Message): void {
    if (message.kind !== 'request') return
    const { method, number } = cseqOf(message)
    const key = `${phone.options.call} ${phone.party} ${method} ${number}`
    if (!this.#asked.has(key)) this.#asked.set(key, this.#now())
  }

  received(phone: Phone, message: Message): void {
    if (message.kind !== 'response' || message.status !== 200) return
    // What is relayed without a quorum is told to nobody (design.md 7).
    const { method, number } = cseqOf(message)
    if (this.#detached.has(saidIn(message))) return
    const asked = this.#asked.get(`${phone.options.call} ${phone.party} ${method} ${number}`) ?? 0
    if (this.#outage(asked - electing, this.#now()) > 0) return
    const known = this.#answered.get(phone) ?? new Set()
    this.#answered.set(phone, known.add(`${method} ${number}`))
  }

  #judge(phone: Phone, said: string, judged: readonly string[], marks: readonly string[]): void {
    const [method = '', number = ''] = said.split(' ')
    const handler = judged.find((one) => one.toUpperCase() === `DO${method}`)
    if (handler === undefined || marks.some((mark) => mark.startsWith(`${handler} ${method} ${number} `))) return
    this.#report('C2', `${phone}: its ${method} was answered, and the application never heard of it`, phone)
  }

  quiet(): void {
    const judged = JUDGED[this.#application] ?? []
    for (const [phone, answered] of this.#answered) {
      for (const group of this.#groups.get(phone.options.callId) ?? [''])
        for (const said of answered) this.#judge(phone, said, judged, this.#allHeard(group))
    }
  }
}

/** The same of a request and its response. */
function saidIn(message: Message): string {
  const { method, number } = cseqOf(message)
  return `${callIdOf(message)} ${tagOf(message, 'from')} ${method} ${number}`
}
