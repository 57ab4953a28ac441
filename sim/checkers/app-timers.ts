// ServletTimers and expiry of applications' sessions, read in the log (C5): each is pending, or has fired and is to be performed; what a
// callback did counts only if that very firing was open; nothing outlives its session; and a timer that nobody cancelled is heard of,
// also once its call is over.

import { entityValue } from '../../src/call/entities.ts'
import { unpackValue } from '../../src/app/packed.ts'
import type { GroupKey } from '../../src/base/brand.ts'
import type { Store } from '../../src/store/store.ts'
import type { Applied, GroupView } from '../../src/store/view.ts'
import { HEARD, listOf } from '../applications.ts'
import { PUT_OFF, RATE } from '../keeps-time.ts'
import type { Checker, Report } from './checker.ts'

interface State {
  readonly isValid: boolean
  readonly marks: readonly string[]
  /** ServletTimers. */
  readonly timers: ReadonlySet<string>
  /** Of the log, by their names there. */
  readonly pending: ReadonlySet<string>
  readonly fired: ReadonlySet<string>
}

const NONE: State = { isValid: false, marks: [], timers: new Set(), pending: new Set(), fired: new Set() }

export class AppTimers implements Checker {
  readonly #report: Report
  readonly #states = new Map<GroupKey, State>()

  constructor(report: Report) {
    this.#report = report
  }

  /** After each entry. */
  applied(applied: Applied, store: Store): void {
    if (applied.kind === 'commit' && applied.outcome === 'accepted') this.#look(applied.commit.group, store, true)
    if (applied.kind === 'pulse')
      for (const group of new Set(applied.fired.map((one) => one.group))) this.#look(group, store, false)
  }

  #look(group: GroupKey, store: Store, isCommit: boolean): void {
    const view = store.group(group)
    const was = this.#states.get(group) ?? NONE
    // What was heard stays known when the group is gone.
    const is = view === null ? { ...NONE, marks: was.marks } : stateOf(view)
    this.#states.set(group, is)
    this.#whole(group, is)
    if (isCommit) this.#heard(group, was, is)
    const mark = is.marks.length > was.marks.length ? is.marks.at(-1) : undefined
    const intent = mark === undefined || !isCommit ? null : intentOf(mark)
    if (mark !== undefined) this.#counts(group, is, mark)
    if (intent !== null && !was.fired.has(intent))
      this.#report('C5', `group ${group}: ${mark} counts, and had not fired`)
  }

  /** What has fired is taken back by a turn, or heard of in one. */
  #heard(group: GroupKey, was: State, is: State): void {
    const gone = [...was.fired].find((id) => (id === 'a' || id.startsWith('t.')) && !is.fired.has(id))
    if (gone !== undefined && is.isValid && is.marks.length === was.marks.length)
      this.#report('C5', `group ${group}: ${gone} had fired, is done, and its application never heard of it`)
  }

  /** What the application did in a callback is in the commit that has its mark. */
  #counts(group: GroupKey, { isValid, marks }: State, mark: string): void {
    const what = mark.split(' ').slice(0, -1).join(' ')
    const times = marks.filter((one) => one.startsWith(`${what} `))
    if (what.trim() === 'sessionExpired' && isValid !== times.length <= PUT_OFF)
      this.#report(
        'C5',
        `group ${group}: ${mark}, the ${times.length}. one, and the session is ${isValid ? 'valid' : 'invalid'}`,
      )
    if (what !== 'timeout t1') return
    const [before, at] = times.slice(-2).map((one) => Number(one.split(' ')[2]))
    if (at !== undefined && before !== undefined && (at - before) % RATE !== 0)
      this.#report('C5', `group ${group}: t1 was due ${at - before} us after it had been, at a rate of ${RATE}`)
  }

  #whole(group: GroupKey, { isValid, timers, pending, fired }: State): void {
    const log = [...pending, ...fired].flatMap((id) => (id === 'a' ? ['a'] : id.startsWith('t.') ? [id.slice(2)] : []))
    for (const name of new Set([...timers, ...log])) {
      const id = name === 'a' ? 'a' : `t.${name}`
      const [isPending, isFired] = [pending.has(id), fired.has(id)]
      if (!timers.has(name))
        this.#report('C5', `group ${group}: ${name} is gone, and is ${isPending ? 'pending' : 'to be performed'}`)
      else if (isPending === isFired)
        this.#report(
          'C5',
          `group ${group}: ${name} is ${isPending ? 'pending, and has fired' : 'neither pending nor to be performed'}`,
        )
      else if (!isValid) this.#report('C5', `group ${group}: ${name} outlives its session`)
    }
  }

  quiet(): void {
    for (const [group, { marks, isValid }] of this.#states) {
      const heard = (what: string): number => marks.filter((mark) => mark.startsWith(`${what} `)).length
      if (heard('timeout t1') > 4)
        this.#report('C5', `group ${group}: t1 was cancelled in its fourth callback, and has a fifth`)
      // After the BYE came the last timer; those before have the names t1 to t3.
      const since = marks.slice(marks.findIndex((mark) => mark.startsWith('doBye ')))
      const isLast = (mark: string): boolean => /^timeout t(?:[4-9]|\d\d)/.test(mark)
      // An INFO that comes later than the BYE that was sent after it puts the expiry before that.
      const isCutShort = since.some((mark) => mark.startsWith('doInfo '))
      if (!isValid && heard('doBye') > 0 && !isCutShort && !since.some(isLast))
        this.#report('C5', `group ${group}: the timer after the call was never heard of`)
    }
  }
}

/** Of a callback the intent; null = it is of a message. */
function intentOf(mark: string): string | null {
  const [handler, subject = ''] = mark.split(' ')
  if (handler === 'timeout') return `t.${subject}`
  return handler === 'sessionExpired' ? 'a' : null
}

function stateOf(view: GroupView): State {
  const timers = new Set<string>()
  let [isValid, marks]: [boolean, readonly string[]] = [false, []]
  for (const entity of view.entities) {
    const value = entityValue(entity)
    if (value.kind === 'timer') timers.add(entity.id)
    if (value.kind !== 'application-session' || value.hosted === null) continue
    isValid = value.hosted.isValid
    const attribute = value.hosted.attributes.find(({ name }) => name === HEARD)
    if (attribute !== undefined) marks = listOf(unpackValue(attribute.bytes)).map(String)
  }
  const pending = new Set(view.timers.map(({ id }) => id))
  return { isValid, marks, timers, pending, fired: new Set(view.intents.map(({ id }) => id)) }
}
