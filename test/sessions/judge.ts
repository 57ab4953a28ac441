// What the log may come to, whoever proposed what and when: each accepted commit is held against what it was to mean, and against the
// state of the log right before it. The judge reads entities; of the rules in src/app it uses none.

import { must } from '../../src/base/assert.ts'
import { plus } from '../../src/base/instant.ts'
import type { Duration, Stamp } from '../../src/base/instant.ts'
import { entityValue } from '../../src/call/entities.ts'
import type { EntityValue } from '../../src/call/entities.ts'
import type { Applied, GroupView } from '../../src/store/view.ts'
import { unpack } from '../../src/wire/pack.ts'
import { EXTENSION, UNIT } from './application.ts'
import type { Label } from './application.ts'

export type Promise_ =
  | 'fires once'
  | 'expired or extended'
  | 'cancel wins'
  | 'nothing is lost'
  | 'the end is the end'
  | 'ready'

interface State {
  readonly isValid: boolean
  /** Of the SipApplicationSession; 0 = it is gone. */
  readonly version: number
  readonly n: number
  readonly timers: ReadonlyMap<string, number>
  readonly intents: ReadonlyMap<string, number>
  /** Names of ServletTimer entities. */
  readonly entities: ReadonlySet<string>
  readonly hasCall: boolean
}

export class Judge {
  readonly findings = new Map<Promise_, string>()
  /** Firings that a callback was committed for. */
  readonly #performed = new Set<string>()
  readonly #cancelled = new Set<string>()
  #destroyed = 0
  #before: State = stateOf(null)

  /** After each entry. `label`: what the commit in it was to mean. */
  look(applied: Applied, label: Label | null, view: GroupView | null, at: Stamp): void {
    const [was, is] = [this.#before, stateOf(view)]
    this.#before = is
    this.#schedule(is)
    if (applied.kind !== 'commit' || applied.outcome !== 'accepted' || label === null) return
    if (was.isValid && !is.isValid) this.#ended(was, is, label)
    if (!was.isValid && was.version > 0) this.#after(label)
    if (label.kind === 'callback') this.#called(was, is, label, at)
    else if (label.kind === 'extend') this.#extended(is, label.after, at)
    else if (label.kind === 'cancel') this.#cancel(is, label.timer)
    else if (label.kind === 'put') this.#put(was, is, label)
  }

  /** Nothing is due or under way any more. */
  end(view: GroupView | null, hasBegun: boolean): void {
    const is = stateOf(view)
    if (is.intents.size > 0) this.#find('fires once', `${[...is.intents.keys()].join()} is never performed`)
    const wanted = hasBegun && !is.isValid ? 1 : 0
    if (this.#destroyed !== wanted)
      this.#find('the end is the end', `sessionDestroyed was called ${this.#destroyed} times`)
  }

  /** A timer is pending in the log, or it fired and is to be performed: never both, never neither. What ended has neither. */
  #schedule(is: State): void {
    for (const name of new Set([...is.entities, ...[...is.timers.keys(), ...is.intents.keys()].flatMap(nameOfLog)])) {
      const promise = name === 'a' ? 'expired or extended' : 'fires once'
      const [pending, fired] = [is.timers.has(logName(name)), is.intents.has(logName(name))]
      if (!is.entities.has(name)) {
        const what = `${name} is ${pending ? 'pending' : 'to be performed'}, and nobody has such a timer`
        this.#find(is.isValid ? 'cancel wins' : 'the end is the end', what)
      } else if (pending === fired)
        this.#find(promise, `${name} is ${pending ? 'pending, and fired' : 'neither pending nor fired'}`)
      else if (!is.isValid) this.#find('the end is the end', `${name} outlives its session`)
    }
  }

  #called(was: State, is: State, { intent, opened, did }: Extract<Label, { kind: 'callback' }>, at: Stamp): void {
    // An intent that was opened again while its callback was on its way (readiness that went and came) is performed once for both.
    const open = was.intents.get(intent)
    const firing = `${intent} of entry ${open ?? opened}`
    if (open === undefined || this.#performed.has(firing)) {
      const promise = intent === 'a' ? 'expired or extended' : 'fires once'
      this.#find(promise, `${firing} is performed, and was over before`)
    }
    this.#performed.add(firing)
    if (is.intents.get(intent) === open) this.#find('fires once', `${firing} is performed, and is to be performed`)
    const timer = intent.slice(2)
    if (this.#cancelled.has(timer)) this.#find('cancel wins', `${firing} is performed, and was cancelled before`)
    if (intent.startsWith('t.') && did === 'cancel') this.#cancel(is, timer)
    if (intent === 'z') this.#destroyed++
    if (intent !== 'a') return
    if (did === 'extend') this.#extended(is, EXTENSION * UNIT, at)
    else if (is.isValid)
      this.#find('expired or extended', `${firing}: sessionExpired() extended nothing, and it is valid`)
  }

  #extended(is: State, after: number | null, at: Stamp): void {
    if (!is.isValid) return this.#find('expired or extended', 'it was extended, and is invalid')
    const deadline = after === null ? undefined : plus(at, after as Duration)
    if (is.timers.get('a') !== deadline)
      this.#find('expired or extended', `it expires at ${is.timers.get('a')}, not at ${deadline}`)
    if (is.intents.has('a')) this.#find('expired or extended', 'it was extended, and is to expire')
  }

  #cancel(is: State, timer: string): void {
    this.#cancelled.add(timer)
    if (is.entities.has(timer) || is.timers.has(`t.${timer}`) || is.intents.has(`t.${timer}`)) {
      this.#find('cancel wins', `${timer} was cancelled, and something of it is left`)
    }
  }

  #put(was: State, is: State, { version, read }: Extract<Label, { kind: 'put' }>): void {
    if (was.version !== version || was.n !== read || is.n !== read + 1) {
      this.#find(
        'nothing is lost',
        `${read} of version ${version} became ${is.n}, where ${was.n} of version ${was.version} stood`,
      )
    }
  }

  /** It is invalidated by who says so, by its expiry, or because nothing of it is left. */
  #ended(was: State, is: State, label: Label): void {
    if (label.kind === 'invalidate') return
    if (label.kind === 'callback' && label.intent === 'a' && label.did !== 'extend') return
    const own = label.kind === 'cancel' ? label.timer : label.kind === 'callback' ? label.intent.slice(2) : ''
    const left = [...was.entities].filter((name) => name !== 'a' && name !== own)
    if (left.length > 0 || is.hasCall) this.#find('ready', `it ended with ${is.hasCall ? 'a call' : left.join()} left`)
  }

  #after(label: Label): void {
    const isLate =
      label.kind !== 'plain' && label.kind !== 'drop' && !(label.kind === 'callback' && label.intent === 'z')
    if (isLate) this.#find('the end is the end', `${label.kind} after it was invalidated`)
  }

  #find(name: Promise_, text: string): void {
    if (!this.findings.has(name)) this.findings.set(name, text)
  }
}

function logName(name: string): string {
  return name === 'a' ? 'a' : `t.${name}`
}

function nameOfLog(log: string): readonly string[] {
  return log === 'a' ? ['a'] : log.startsWith('t.') ? [log.slice(2)] : []
}

function stateOf(view: GroupView | null): State {
  const values = (view?.entities ?? []).map((entity) => [entity, entityValue(entity)] as const)
  const ofKind = <K extends EntityValue['kind']>(kind: K) =>
    values.flatMap(([entity, value]) =>
      value.kind === kind ? [[entity, value as Extract<EntityValue, { kind: K }>] as const] : [],
    )
  const [app] = ofKind('application-session')
  const n = app?.[1].hosted?.attributes.find(({ name }) => name === 'n')
  return {
    isValid: app?.[1].hosted?.isValid ?? false,
    version: app?.[0].version ?? 0,
    n: n === undefined ? 0 : (must(unpack(n.bytes) as { value?: number }, 'a number').value ?? 0),
    timers: new Map((view?.timers ?? []).map(({ id, deadline }) => [id, deadline])),
    intents: new Map((view?.intents ?? []).map(({ id, opened }) => [id, opened])),
    entities: new Set(ofKind('timer').map(([{ id }]) => id)),
    hasCall: ofKind('dialog').some(([, { state }]) => state === 'confirmed'),
  }
}
