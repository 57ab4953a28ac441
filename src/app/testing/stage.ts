// One group with an application, driven by hand on a real store: what a replica does with answers, pulses and intents, without SIP and
// without workers. `handle` plays the application: what it answers to each callback.

import { must } from '../../base/assert.ts'
import { groupKey, index, life, replicaId } from '../../base/brand.ts'
import { instant, plus, seconds, stamp } from '../../base/instant.ts'
import type { Duration, Instant, Stamp } from '../../base/instant.ts'
import type { CommitBody } from '../../call/contract.ts'
import { loadGroup } from '../../call/group.ts'
import type { Group } from '../../call/group.ts'
import { settle } from '../../call/settle.ts'
import { Turn } from '../../call/turn.ts'
import { enterEnded } from '../../session/dialog.ts'
import { Store } from '../../store/store.ts'
import type { Applied, GroupView } from '../../store/view.ts'
import type { EntryBody } from '../../wire/entry.ts'
import { NEWEST_FORMAT } from '../../wire/formats.ts'
import { beginCallback, callbackOf, dropCallback, endCallback } from '../callbacks.ts'
import type { Callback } from '../callbacks.ts'
import type { AppContext } from '../context.ts'
import type { HandlerName, NewTimer, SessionView } from '../contract.ts'
import { settleSessions } from '../lifecycle.ts'
import { applyOp } from '../operations.ts'
import type { SessionOp } from '../operations.ts'
import { openApplicationSession } from '../sessions.ts'
import { viewOf } from '../view.ts'

const GROUP = groupKey('00000000000000ab')
const OWNER = life(replicaId(1), 'stage', 1)
/** Cluster time at the stage's zero. */
export const EPOCH = 1_700_000_000_000_000

const LISTENERS: readonly HandlerName[] = ['timeout', 'sessionExpired']

const SESSION = { kind: 'session', caller: 'sip:a@x', callee: 'sip:b@x', hosted: null } as const

export class Stage {
  readonly store = new Store()
  /** What was called, with the stage's time in seconds. */
  readonly called: string[] = []
  /** What the application does in a callback. */
  handle: (callback: Callback, view: SessionView) => readonly SessionOp[] = () => []
  /** Why the last answer was refused; null = it was not. */
  fault: string | null = null
  readonly #handlers: readonly HandlerName[]
  #now: Instant = instant(0)
  #at = index(0)
  #serial = 0

  constructor(handlers: readonly HandlerName[] = LISTENERS) {
    this.#handlers = handlers
    this.#apply({ kind: 'key', generation: 1, key: new Uint8Array(16).fill(7) })
    this.#apply({ kind: 'serving', replaces: index(0), admit: [OWNER], remove: [] })
  }

  /** A session of the application `test`, without calls, is there. */
  static open(handlers?: readonly HandlerName[]): Stage {
    const stage = new Stage(handlers)
    stage.turn((turn) => openApplicationSession(turn, { application: 'test', version: '1', key: null }))
    return stage
  }

  get ctx(): AppContext {
    const { store } = this
    return {
      now: this.#now,
      cluster: this.cluster,
      settings: { sip: { host: '127.31.40.1', port: 5060 }, nextHop: null },
      keys: {
        current: store.keyGeneration,
        at: (time) => store.keyAt(time),
        key: (generation) => store.key(generation),
      },
      format: NEWEST_FORMAT,
      acceptsCalls: true,
      keepsRelays: true,
      view: () => null,
      counter: (name) => store.counter(name),
      admit: () => 'admit',
      applications: [{ name: 'test', version: '1', handlers: this.#handlers }],
      applied: store.appliedIndex,
    }
  }

  get cluster(): Stamp {
    return stamp(EPOCH + this.#now)
  }

  /** Of the log: null = the group is gone. */
  get group(): GroupView | null {
    return this.store.group(GROUP)
  }

  get view(): SessionView {
    return viewOf(new Turn(this.load(), this.ctx), this.ctx)
  }

  load(): Group {
    return loadGroup(GROUP, this.group, null)
  }

  /** One turn of the group, and its commit. */
  turn(work: (turn: Turn) => void): void {
    const turn = new Turn(this.load(), this.ctx)
    work(turn)
    this.#finish(turn)
  }

  /** A handler's answer: why it was refused as a whole, or null. */
  answer(...ops: readonly SessionOp[]): string | null {
    const turn = new Turn(this.load(), this.ctx)
    const fault = faultOf(turn, ops)
    if (fault === null) this.#finish(turn)
    return fault
  }

  /** A call of the application begins, and is answered. */
  call(id: string): void {
    const party = {
      tag: id,
      target: 'sip:x@y',
      transport: 'udp',
      cseq: 1,
      stream: '',
      refreshed: 0,
      routes: [],
    } as const
    this.turn((turn) => {
      const known = turn.get('SipSession', id)
      turn.put(id, {
        ...(known?.kind === 'session'
          ? known
          : {
              ...SESSION,
              callId: `call-${id}`,
              callerTag: id,
              created: this.cluster,
              began: this.cluster,
              answered: null,
            }),
        state: 'CONFIRMED',
      })
      turn.put(id, {
        kind: 'dialog',
        state: 'confirmed',
        session: id,
        transaction: id,
        callId: `call-${id}`,
        caller: party,
        callee: { ...party, tag: `${id}-callee` },
        watch: null,
      })
    })
  }

  /** It ends. */
  end(id: string): void {
    this.turn((turn) => {
      const dialog = turn.get('Dialog', id)
      turn.put(id, enterEnded(must(dialog?.kind === 'dialog' ? dialog : null, 'a call')))
    })
  }

  /** Time passes; what is due fires, and is performed. */
  pass(howLong: number): void {
    const end = plus(this.#now, seconds(howLong))
    for (let next = this.#next(); next <= end; next = this.#next()) {
      this.#now = instant(Math.max(this.#now, next))
      for (const id of this.pulse()) this.perform(id)
      this.performAll()
    }
    this.#now = end
  }

  /** Time passes, and nobody is there: no quorum. */
  sleep(howLong: number): void {
    this.#now = plus(this.#now, seconds(howLong))
  }

  /** What is due now fires; the intents that it opened. */
  pulse(): readonly string[] {
    const applied = this.#apply({ kind: 'pulse', limit: 1_000, audit: null })
    if (applied.kind !== 'pulse') throw new Error('not a pulse')
    return applied.fired.flatMap(({ id, action }) => (action.kind === 'callback' ? [id] : []))
  }

  /** Intents that a commit opened. */
  performAll(): void {
    for (const { id } of this.group?.intents ?? []) this.perform(id)
  }

  perform(intent: string): void {
    if (this.group?.intents.some(({ id }) => id === intent) !== true) return
    const turn = new Turn(this.load(), this.ctx)
    const callback = callbackOf(turn, intent)
    this.fault = null
    if (callback === null) dropCallback(turn, intent)
    else {
      const ops = this.#hears(callback) ? this.handle(callback, viewOf(turn, this.ctx, callback.timer)) : []
      beginCallback(turn, intent)
      this.fault = faultOf(turn, ops)
      endCallback(turn, intent)
    }
    if (this.fault === null) return this.#finish(turn)
    // Nothing of the answer counts; the event takes its course.
    const course = new Turn(this.load(), this.ctx)
    beginCallback(course, intent)
    endCallback(course, intent)
    this.#finish(course)
  }

  #hears({ handler, timer }: Callback): boolean {
    if (!this.#handlers.includes(handler)) return false
    this.called.push(`${this.#now / 1_000_000} ${handler}${timer === '' ? '' : ` ${timer}`}`)
    return true
  }

  #next(): number {
    const deadline = this.store.nextDeadline()
    return deadline === null ? Infinity : deadline - EPOCH
  }

  #finish(turn: Turn): void {
    settleSessions(turn, this.ctx)
    settle(turn)
    const { commit } = turn.finish()
    if (commit !== null) this.#commit(commit)
  }

  #commit(body: CommitBody): void {
    const since = must(this.store.sinceOf(OWNER), 'it serves')
    const serial = ++this.#serial
    const applied = this.#apply({
      kind: 'commit',
      group: GROUP,
      expected: this.store.groupVersion(GROUP),
      proposer: OWNER,
      since,
      judged: since,
      serial,
      lowestOpen: serial,
      onto: 0,
      ...body,
    })
    if (applied.kind !== 'commit' || applied.outcome !== 'accepted') throw new Error('a commit was refused')
  }

  #apply(body: EntryBody): Applied {
    this.#at = index(this.#at + 1)
    return this.store.apply(this.#at, { stamp: this.cluster, body })
  }
}

function faultOf(turn: Turn, ops: readonly SessionOp[]): string | null {
  for (const op of ops) {
    const fault = applyOp(turn, op)
    if (fault !== null) return fault
  }
  return null
}

/** A timer as an application asks for one; times in seconds. */
export function newTimer(id: string, after: number, more: Partial<NewTimer> = {}): SessionOp {
  const timer: NewTimer = {
    id,
    after: seconds(after),
    period: null,
    isFixedDelay: false,
    isPersistent: true,
    info: null,
    ...more,
  }
  return { kind: 'create-timer', timer }
}

export function every(period: number, isFixedDelay: boolean): { period: Duration; isFixedDelay: boolean } {
  return { period: seconds(period), isFixedDelay }
}
