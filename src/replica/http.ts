// HTTP requests of converged applications, at whatever replica they come to (decision 0036). The handler runs here, on what this
// replica's store has; what it did is an order to the session's owner; the response leaves once that is in the log.
//
//   request --cookie--> lookup (this replica has applied the cookie's index; else a read barrier) --> the session's view
//      '--no session----------------------------------------------------------------------------------.     |
//                                                                                                      v     v
//        .--(on the newer view)-- conflict <--order (expecting the versions of the view) <--changes-- doHttp's turn <--.
//        '--------------------------------------------------------------------------------------------> | |           |
//                                              done: cookie with the new version and index               | '-- wants --'
//                                                 '--> the response leaves <-----------changes nothing---'   a session, a list
//
// What a handler wants and hasn't got (a session that is to be begun, or is found by a key; a page of the application's sessions) is
// looked for, and the handler runs again with it: nothing of the run before counts.

import { must, unreachable } from '../base/assert.ts'
import { firstOf } from '../base/first-of.ts'
import { groupKey, index } from '../base/brand.ts'
import type { Index } from '../base/brand.ts'
import { between, plus, seconds, stamp } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { AppContext } from '../app/context.ts'
import type { AppAnswer, Op, SessionView } from '../app/contract.ts'
import { makeCookie, readCookie } from '../app/http-cookie.ts'
import type { HttpCookie } from '../app/http-cookie.ts'
import { resultFault } from '../app/http.ts'
import type { HttpFound, HttpResponse, HttpResult, SessionPage, SessionSummary, SessionWanted } from '../app/http.ts'
import { appLimits } from '../app/limits.ts'
import { opsFault } from '../app/op-shapes.ts'
import type { Lookup, LookupAnswer, Order, OrderAnswer } from '../app/orders.ts'
import { summaryOf } from '../app/session-pages.ts'
import { entityValue } from '../call/entities.ts'
import { APPLICATION_SESSION } from '../session/application-session.ts'
import type { Store } from '../store/store.ts'
import type { HttpAnswer, Reply } from './effect.ts'
import type { AdminInput, HttpInput } from './input.ts'
import { limits } from './limits.ts'
import { FIRST_INSIDE } from './outbox.ts'
import type { Outbox } from './outbox.ts'

export interface HttpPorts {
  readonly store: Store
  readonly outbox: Outbox
  context(): AppContext
  /** This replica may be behind without knowing it: what it has is shown to nobody without a read barrier. */
  stale(): boolean
  /** As the admin address asks; the answer comes as a reply inside (outbox.ts), once, within a bounded time. */
  question(id: number, query: Extract<AdminInput['query'], { kind: 'session' | 'order' }>): void
}

interface Open {
  readonly input: HttpInput
  /** The handler isn't run again after this. */
  readonly until: Instant
  /** What the client has shown, and is this set's. */
  readonly cookie: (HttpCookie & { readonly isOld: boolean }) | null
  runs: number
  session: Bound | null
  found: HttpFound
  /** Of all that its handler sees. */
  seen: Index
}

type CookieChange = Extract<HttpAnswer, { kind: 'response' }>['cookie']

/** The session that the request is about. */
interface Bound {
  readonly view: SessionView
  readonly isNew: boolean
  /** The client has it, or is to have it, by its cookie. */
  readonly isKept: boolean
}

interface Asked {
  readonly open: Open
  readonly until: Instant
}

interface Scan {
  readonly open: Open
  readonly from: number
  part: number
  readonly sessions: SessionSummary[]
}

const NOTHING_FOUND: HttpFound = { none: null, list: null }
const AGAIN = 1
const TOLD_EVERY = seconds(1)

export class Http {
  readonly #ports: HttpPorts
  /** Requests that have no answer yet, by their host's number. */
  readonly #open = new Map<number, Open>()
  /** Those whose handler runs, by the number that it was asked with: below zero, so that it is no group's. */
  readonly #asked = new Map<number, Asked>()
  /** What is done with the answers of questions that this room has asked. */
  readonly #questions = new Map<number, (body: unknown) => void>()
  readonly #scans = new Set<Scan>()
  /** When a failure of an application was told last. */
  readonly #told = new Map<string, Instant>()
  #last = 0

  constructor(ports: HttpPorts) {
    this.#ports = ports
  }

  take(input: HttpInput): void {
    const { context, store, stale } = this.#ports
    const { application, cookie: shown, session } = input
    if (this.#open.size >= limits.httpRequests) {
      return this.#refuse(input.id, `${limits.httpRequests} HTTP requests wait already`)
    }
    if (store.keyGeneration === 0) return this.#refuse(input.id, 'the set is not formed yet')
    const { keys, now } = context()
    const cookie = shown === '' ? null : readCookie(keys, application, shown)
    const open: Open = {
      ...{ input, cookie, until: plus(now, limits.http) },
      ...{ runs: 0, session: null, found: NOTHING_FOUND, seen: cookie?.index ?? index(0) },
    }
    this.#open.set(input.id, open)
    if (session !== '') this.#look(open, session, null, false)
    else if (cookie === null) this.#ask(open)
    else this.#look(open, cookie.id, stale() ? null : cookie.index, true)
  }

  /** The client doesn't wait any more. */
  forget(id: number): void {
    this.#open.delete(id)
  }

  /** What the handler says. */
  answered(id: number, answer: AppAnswer): void {
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    if (asked !== undefined && this.#isOpen(asked.open)) this.#said(asked.open, answer)
  }

  #replied({ id, body }: Reply): void {
    const then = this.#questions.get(id)
    this.#questions.delete(id)
    then?.(body)
  }

  deadline(): Instant | null {
    if (this.#scans.size > 0 || this.#ports.outbox.hasInside) return this.#ports.context().now
    const first = this.#asked.values().next()
    return first.done === true ? null : first.value.until
  }

  turn(now: Instant): void {
    for (const reply of this.#ports.outbox.takeInside()) this.#replied(reply)
    for (const [id, { until, open }] of this.#asked) {
      if (until > now) break
      this.#asked.delete(id)
      if (this.#isOpen(open)) this.#fault(open, `no answer within ${appLimits.handler / 1_000_000} s`)
    }
    for (const scan of firstOf(this.#scans, limits.looksAtOnce)) this.#scan(scan)
  }

  #lookup(lookup: Lookup, then: (answer: LookupAnswer) => void): void {
    this.#question({ kind: 'session', lookup }, (body) => then(body as LookupAnswer))
  }

  #order(order: Order, then: (answer: OrderAnswer) => void): void {
    this.#question({ kind: 'order', order }, (body) => then(body as OrderAnswer))
  }

  #question(query: Parameters<HttpPorts['question']>[1], then: (body: unknown) => void): void {
    const id = FIRST_INSIDE + ++this.#last
    this.#questions.set(id, then)
    this.#ports.question(id, query)
  }

  #isOpen(open: Open): boolean {
    return this.#open.get(open.input.id) === open
  }

  /** `isKept`: the session is the client's by its cookie. */
  #look(open: Open, id: string, atLeast: Index | null, isKept: boolean, isNew = false): void {
    const { application } = open.input
    const wanted: SessionWanted = { kind: 'id', id }
    this.#lookup({ application, target: wanted, atLeast }, (answer) => {
      if (!this.#isOpen(open)) return
      if (answer.kind === 'unknown') return this.#end(open, answer.reason)
      const { view } = answer
      sees(open, answer.index)
      open.session = view === null ? null : { view, isNew, isKept }
      if (view === null) open.found = { ...open.found, none: wanted }
      this.#ask(open)
    })
  }

  // ---- the handler --------------------------------------------------------------------------------------------------

  #ask(open: Open): void {
    const { outbox, context, store } = this.#ports
    const { input, session, found } = open
    const { now, cluster, applications, applied } = context()
    if (open.runs > 0 && now >= open.until) return this.#end(open, 'the session changes too fast for this request')
    if (open.runs++ >= limits.httpRuns) return this.#end(open, 'the session changes too fast for this request')
    const newest = applications.find(({ name }) => name === input.application)
    const version = (session === null ? null : versionOf(store, session.view)) ?? newest?.version ?? ''
    const id = -++this.#last
    this.#asked.set(id, { open, until: plus(now, appLimits.handler) })
    outbox.count('http_handlers_asked')
    outbox.push({
      kind: 'ask',
      call: {
        id,
        application: input.application,
        version,
        handler: 'doHttp',
        message: null,
        subject: '',
        due: null,
        http: {
          request: input.request,
          prefix: input.prefix,
          isNew: session?.isNew ?? false,
          hasCookie: session?.isKept ?? false,
          found,
        },
        now: cluster,
        view: session?.view ?? nobody(applied),
      },
    })
  }

  #said(open: Open, answer: AppAnswer): void {
    if (answer.kind === 'failed') return this.#fault(open, answer.reason)
    const fault = opsFault(answer.ops) ?? resultFault(answer.result)
    if (fault !== null) return this.#fault(open, fault)
    const result = answer.result as HttpResult
    if (result.kind === 'response') this.#responded(open, answer.ops, result)
    else if (result.wanted.kind === 'list') this.#list(open, result.wanted.from)
    else this.#want(open, result.wanted)
  }

  #responded(open: Open, ops: readonly Op[], { response, keeps }: Extract<HttpResult, { kind: 'response' }>): void {
    const { session, input } = open
    if (ops.length === 0) return this.#respond(open, response, keeps, session?.view ?? null)
    if (session === null) return this.#fault(open, 'it has changed a session, and the request has none')
    const { view } = session
    const { application } = input
    const order: Order = {
      application,
      version: '',
      target: { kind: 'id', id: view.id },
      ops: [...expectations(view), ...ops],
    }
    this.#ports.outbox.count('http_orders')
    this.#order(order, (answered) => {
      if (!this.#isOpen(open)) return
      if (answered.kind !== 'refused') sees(open, answered.index)
      switch (answered.kind) {
        case 'done':
          return this.#respond(open, response, keeps, answered.view)
        case 'conflict':
          this.#ports.outbox.count('http_conflicts')
          return this.#askOn(open, session, answered.view)
        case 'gone':
          return this.#askOn(open, session, null)
        case 'refused':
          return answered.again ? this.#end(open, answered.reason) : this.#fault(open, answered.reason)
        default:
          return unreachable(answered)
      }
    })
  }

  /** The session is another one by now than its handler saw: it runs again. */
  #askOn(open: Open, session: Bound, view: SessionView | null): void {
    open.session = view === null ? null : { ...session, view }
    if (view === null) open.found = { ...open.found, none: { kind: 'id', id: session.view.id } }
    this.#ask(open)
  }

  // ---- what it wants ------------------------------------------------------------------------------------------------

  #want(open: Open, wanted: SessionWanted): void {
    const { application } = open.input
    if (open.session !== null) return this.#fault(open, 'a request has one session, and this one has its own already')
    if (wanted.kind === 'id') return this.#look(open, wanted.id, null, true)
    if (wanted.kind === 'key' && !wanted.create) {
      const { key } = wanted
      return this.#lookup({ application, target: { kind: 'key', key }, atLeast: null }, (answer) => {
        if (!this.#isOpen(open)) return
        if (answer.kind === 'unknown') return this.#end(open, answer.reason)
        sees(open, answer.index)
        this.#bind(open, answer.view, wanted, false)
      })
    }
    const newest = this.#ports.context().applications.find(({ name }) => name === application)
    const version = newest?.version ?? ''
    this.#order({ application, version, target: wanted, ops: [] }, (answer) => {
      if (!this.#isOpen(open)) return
      if (answer.kind !== 'refused') sees(open, answer.index)
      if (answer.kind === 'done') this.#bind(open, answer.view, wanted, answer.created)
      else if (answer.kind === 'refused' && !answer.again) this.#fault(open, answer.reason)
      else this.#end(open, answer.reason)
    })
  }

  #bind(open: Open, view: SessionView | null, wanted: SessionWanted, isNew: boolean): void {
    open.session = view === null ? null : { view, isNew, isKept: true }
    if (view === null) open.found = { ...open.found, none: wanted }
    this.#ask(open)
  }

  #list(open: Open, from: number): void {
    if (this.#scans.size >= limits.lookups) return this.#end(open, `${limits.lookups} lists are being made already`)
    // No session has that id: what counts is that all which was committed by now is applied here.
    this.#lookup({ application: open.input.application, target: { kind: 'id', id: '' }, atLeast: null }, (answer) => {
      if (!this.#isOpen(open)) return
      if (answer.kind === 'unknown') return this.#end(open, answer.reason)
      this.#scans.add({ open, from, part: from, sessions: [] })
    })
  }

  /** Goes on with a list, for some of the groups. */
  #scan(scan: Scan): void {
    const { store, context } = this.#ports
    const { open, sessions, from } = scan
    if (!this.#isOpen(open)) return void this.#scans.delete(scan)
    let looks = 0
    for (; scan.part < store.parts && looks < limits.looks && sessions.length < limits.httpPage; scan.part++) {
      for (const key of store.groupsIn(scan.part)) {
        looks++
        const view = store.group(key)
        const summary = view === null ? null : summaryOf(context().keys, open.input.application, view)
        if (summary !== null) sessions.push(summary)
      }
    }
    const isEnd = scan.part >= store.parts
    if (!isEnd && sessions.length < limits.httpPage) return
    this.#scans.delete(scan)
    sees(open, store.appliedIndex)
    const page: SessionPage = { sessions, next: isEnd ? null : scan.part }
    open.found = { ...open.found, list: { from, page } }
    this.#ask(open)
  }

  // ---- the answer ---------------------------------------------------------------------------------------------------

  /** What the handler did is in the log, or it did nothing. `view`: the session as it is now; null = it is over, or there is none. */
  #respond(open: Open, response: HttpResponse, keeps: 'yes' | 'no' | null, view: SessionView | null): void {
    this.#answer(open, { kind: 'response', response, cookie: this.#cookieAfter(open, keeps, view) })
  }

  /** Null: what the client has is right as it is. Whatever it was shown, by a URL or in a list too, it has the index of from now on. */
  #cookieAfter(open: Open, keeps: 'yes' | 'no' | null, view: SessionView | null): CookieChange {
    const { cookie, session, found, input, seen } = open
    const isOwn = cookie !== null && session?.view.id === cookie.id
    const isKept = session?.isKept === true || isOwn
    if (view !== null && (keeps === 'yes' || (keeps === null && isKept))) {
      const { id, groupVersion: version } = view
      const isSame = isOwn && !cookie.isOld && cookie.version === version && found.list === null
      return isSame ? null : this.#cookie(open, { id, version, index: seen })
    }
    const isOver = cookie === null || (found.none?.kind === 'id' && found.none.id === cookie.id)
    if (isKept || isOver) return input.cookie === '' ? null : { kind: 'clear' }
    const isShownMore = seen > cookie.index && (session !== null || found.list !== null)
    return isShownMore ? this.#cookie(open, { ...cookie, index: seen }) : null
  }

  #cookie({ input }: Open, cookie: HttpCookie): CookieChange {
    return { kind: 'set', value: makeCookie(this.#ports.context().keys, input.application, cookie) }
  }

  /** The application is at fault: the client is told no more than that. */
  #fault(open: Open, reason: string): void {
    const { outbox, context } = this.#ports
    const { application } = open.input
    outbox.count('handlers_failed')
    const { now } = context()
    const told = this.#told.get(application)
    if (told === undefined || between(told, now) >= TOLD_EVERY) {
      this.#told.set(application, now)
      const said = `doHttp of application ${application} changes nothing: ${reason}`
      outbox.log('warn', 'handler-failed', said, { application, handler: 'doHttp', reason })
    }
    this.#answer(open, { kind: 'failed', status: 500, reason: 'the application failed', again: null })
  }

  /** Nobody is at fault: asking again helps. */
  #end(open: Open, reason: string): void {
    this.#answer(open, { kind: 'failed', status: 503, reason, again: AGAIN })
  }

  #refuse(id: number, reason: string): void {
    this.#ports.outbox.push({ kind: 'http', id, answer: { kind: 'failed', status: 503, reason, again: AGAIN } })
  }

  #answer(open: Open, answer: HttpAnswer): void {
    const { id } = must(this.#open.get(open.input.id), 'a request is answered once').input
    this.#open.delete(id)
    this.#ports.outbox.count(answer.kind === 'response' ? 'http_responses' : 'http_failures')
    this.#ports.outbox.push({ kind: 'http', id, answer })
  }
}

function sees(open: Open, at: Index): void {
  if (at > open.seen) open.seen = at
}

/** What the handler saw must be what is changed: names of new legs and timers rest on the first of them. */
function expectations({ version, sessions }: SessionView): readonly Op[] {
  return [
    { kind: 'expect-version', of: '', version },
    ...sessions.map(({ id, version: own }): Op => ({ kind: 'expect-version', of: id, version: own })),
  ]
}

/** The code that began the session. */
function versionOf(store: Store, { group }: SessionView): string | null {
  for (const entity of store.group(group)?.entities ?? []) {
    if (entity.tree !== 'SipApplicationSession' || entity.id !== APPLICATION_SESSION) continue
    const value = entityValue(entity)
    if (value.kind === 'application-session') return value.hosted?.applicationVersion ?? null
  }
  return null
}

/** Of a request that is about no session. */
function nobody(applied: Index): SessionView {
  return {
    ...{ group: groupKey('0000000000000000'), id: '', created: stamp(0), lastAccessed: stamp(0), expires: null },
    ...{
      isValid: false,
      invalidateWhenReady: true,
      key: null,
      stateInfo: null,
      attributes: [],
      sessions: [],
      timers: [],
    },
    ...{ version: 0, groupVersion: 0, index: applied, nextSession: 1, nextTimer: 1, uriToken: '' },
  }
}
