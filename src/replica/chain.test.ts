// Decision 0037: a chain of applications, at whole replicas: each has a group of its own, and the call is one.

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { AppAnswer, ApplicationInfo, HandlerName, Op } from '../app/contract.ts'
import { b2bua } from '../app/testing/b2bua.ts'
import type { Handlers } from '../app/testing/legs-scene.ts'
import { calleeLeg, callerLeg, follower, inDialog, parsed, phone, request, response } from '../call/testing/phone.ts'
import type { Leg, Phone } from '../call/testing/phone.ts'
import { parseBlock } from '../proxy/access.ts'
import type { RouterTable } from '../proxy/chain.ts'
import { header, values } from '../sip/message.ts'
import { Trio } from './testing/trio.ts'
import type { AskedBy } from './testing/trio.ts'

const caller = phone('caller', '127.39.0.2', 5062)
const callee = phone('callee', '127.36.0.3', 5064)
const other = phone('other', '127.39.0.4', 5066)
const SET = 'sip:callee@127.36.0.1:5060'

const onward = (event: Pick<AskedBy, 'message'>, ...targets: readonly string[]): Op => {
  const plan = { targets: targets.length === 0 ? [] : [targets], recurse: false, timeout: null }
  return { kind: 'proxy', request: event.message?.request ?? '', plan }
}
const proxies: Handlers = {
  doInvite: (event) => (event.message?.isInitial === true ? [onward(event)] : []),
  doMessage: (event) => [onward(event)],
  doBye: () => [],
}

interface Plan {
  readonly applications: Readonly<Record<string, Handlers>>
  readonly router?: RouterTable
  /** In place of a table: what the router's module says. */
  readonly module?: (call: AskedBy) => unknown
  readonly replicas?: number
  readonly access?: readonly string[]
  readonly bounds?: { readonly calls?: number; readonly out?: number; readonly rate?: number }
}

/** `screens`, then `bills`. */
const both: RouterTable = {
  INVITE: [
    { application: 'screens', region: 'originating', subscriber: 'from' },
    { application: 'bills', region: 'terminating', subscriber: 'to' },
  ],
}

/** A set whose applications answer at once. */
class Stage {
  readonly trio: Trio
  /** Who was asked what, in order. */
  readonly asked: string[] = []
  readonly #plan: Plan
  #answered = 0

  constructor(plan: Plan) {
    this.#plan = plan
    const infos = Object.entries(plan.applications).map(([name, handlers]): ApplicationInfo => ({
      name,
      version: '1',
      handlers: Object.keys(handlers) as HandlerName[],
    }))
    const router: ApplicationInfo = { name: 'router', version: '1', handlers: ['getNextApplication'] }
    const blocks = (plan.access ?? []).flatMap((text) => {
      const block = parseBlock(text)
      return block.ok ? [block.value] : []
    })
    const settings = {
      ...(plan.module === undefined ? { router: plan.router ?? both } : {}),
      ...(plan.access === undefined ? {} : { access: blocks }),
      ...(plan.bounds === undefined ? {} : { bounds: plan.bounds }),
    }
    this.trio = new Trio(plan.replicas ?? 1, settings, plan.module === undefined ? infos : [...infos, router]).begin()
  }

  say(from: Phone, data: string, at = this.trio.ids[0]): this {
    this.trio.sip(must(at, 'a replica'), from.flow, data)
    return this.settle()
  }

  settle(): this {
    // What one group sends to another arrives with the turn after.
    for (let [left, quiet] = [200, 0]; left > 0; left--) {
      const before = this.trio.sent.length
      this.trio.pass(10)
      const calls = this.trio.calls.slice(this.#answered)
      quiet = calls.length === 0 && this.trio.sent.length === before ? quiet + 1 : 0
      if (quiet === 3) return this
      this.#answered = this.trio.calls.length
      for (const call of calls) this.#answer(call)
    }
    throw new Error('asked without an end')
  }

  #answer(call: AskedBy): void {
    const { application, handler, message, subject, view, by, id } = call
    this.asked.push(`${application} ${handler}`)
    const ops = this.#plan.applications[application]?.[handler]?.({ handler, message, subject }, view) ?? 'fail'
    const answer: AppAnswer =
      handler === 'getNextApplication'
        ? { kind: 'done', ops: [], result: this.#plan.module?.(call) }
        : handler === 'applicationKey'
          ? { kind: 'done', ops: [], result: 'room' }
          : ops === 'fail'
            ? { kind: 'failed', reason: 'it fails' }
            : { kind: 'done', ops, result: null }
    this.trio.step(by, { kind: 'answered', id, answer })
    this.trio.settle()
  }

  /** First lines of what went to a phone, since the last look. */
  heard(to: Phone): readonly string[] {
    const lines = this.trio.sent.filter(({ flow }) => flow.port === to.flow.port)
    for (const one of lines) this.trio.sent.splice(this.trio.sent.indexOf(one), 1)
    return lines.map(({ data }) => data.slice(0, data.indexOf('\r\n')).replace(/ SIP\/2\.0$/, ''))
  }

  sent(to: Phone, start: string): string {
    const found = this.trio.sent.findLast(({ flow, data }) => flow.port === to.flow.port && data.startsWith(start))
    return must(found, `${start} to ${to.name}`).data
  }

  invite(options: Parameters<typeof request>[3] = {}): string {
    const invite = request(caller, 'INVITE', SET, options)
    this.say(caller, invite)
    return invite
  }

  /** A call that is up. */
  talk(): { readonly a: Leg; readonly b: Leg } {
    this.invite()
    const invite = this.sent(callee, 'INVITE ')
    this.say(callee, response(callee, invite, 180)).say(callee, response(callee, invite, 200))
    const a = callerLeg(this.sent(caller, 'SIP/2.0 200'))
    this.say(caller, inDialog(caller, a, 'ACK', 1))
    this.sent(callee, 'ACK ')
    this.heard(callee)
    this.heard(caller)
    return { a, b: calleeLeg(callee, invite) }
  }

  counter(name: string): number {
    return this.trio.replica(must(this.trio.ids.at(-1), 'a replica')).store.counter(name)
  }

  /** All that is kept of it goes. */
  over(): number {
    this.trio.pass(100_000)
    const { store } = this.trio.replica(must(this.trio.ids.at(-1), 'a replica'))
    return [...store.groups()].length
  }
}

const two = { applications: { screens: proxies, bills: proxies } }

describe('[JSR 30] a chain of two applications that proxy', () => {
  test('each is asked, in its region, for whom it serves; the call goes out once', () => {
    const stage = new Stage(two)
    stage.invite()
    expect(stage.asked).toEqual(['screens doInvite', 'bills doInvite'])
    expect(stage.trio.calls.map(({ view }) => [view.region, view.subscriber, view.stateInfo])).toEqual([
      ['originating', 'sip:caller@example.com', 0],
      ['terminating', 'sip:callee@example.com', 1],
    ])
    const [screens, bills] = stage.trio.calls
    expect(screens?.view.id).not.toBe(bills?.view.id)
    expect(stage.heard(caller)).toEqual(['SIP/2.0 100 Trying'])
    const invite = parsed(stage.sent(callee, 'INVITE '))
    expect([values(invite, 'Via').length, header(invite, 'Max-Forwards'), header(invite, 'Route')]).toEqual([
      3,
      '68',
      null,
    ])
    expect(values(invite, 'Record-Route')).toHaveLength(2)
    expect(stage.heard(callee)).toEqual([`INVITE ${SET}`])
  })

  test('requests in the dialog pass both, both ways, and the end of the call is the end of both', () => {
    const stage = new Stage(two)
    const { a, b } = stage.talk()
    stage.say(callee, inDialog(callee, b, 'INFO', 1))
    expect(stage.heard(caller)).toEqual([expect.stringMatching(/^INFO sip:caller@/)])
    stage.say(caller, inDialog(caller, a, 'BYE', 2))
    expect(stage.asked.slice(2)).toEqual(['screens doBye', 'bills doBye'])
    const bye = stage.sent(callee, 'BYE ')
    expect(header(parsed(bye), 'Max-Forwards')).toBe('68')
    stage.say(callee, response(callee, bye, 200))
    expect(stage.heard(caller)).toEqual(['SIP/2.0 200 OK'])
    expect(stage.counter('calls.confirmed')).toBe(0)
    expect(stage.over()).toBe(0)
  })

  test('a caller without Route support reaches the callee by way of both', () => {
    const stage = new Stage(two)
    const { a } = stage.talk()
    stage.say(caller, inDialog(caller, { ...a, routes: [], target: SET }, 'BYE', 2))
    expect(stage.asked.slice(2)).toEqual(['screens doBye', 'bills doBye'])
    expect(stage.heard(callee)).toEqual([expect.stringMatching(/^BYE sip:callee@127\.36\.0\.3/)])
  })

  test('so does one whose callee leaves Record-Route out, as SIPp has it', () => {
    const stage = new Stage({ ...two, access: ['127.39.0.2/32'] })
    stage.invite()
    const ok = response(callee, stage.sent(callee, 'INVITE '), 200).replaceAll(/Record-Route: .*\r\n/g, '')
    stage.say(callee, ok)
    const a = { ...callerLeg(stage.sent(caller, 'SIP/2.0 200')), routes: [], target: SET }
    stage.say(caller, inDialog(caller, a, 'ACK', 1)).say(caller, inDialog(caller, a, 'BYE', 2))
    expect(stage.asked.slice(2)).toEqual(['screens doBye', 'bills doBye'])
    stage.say(callee, response(callee, stage.sent(callee, 'BYE '), 200))
    expect(stage.heard(caller).at(-1)).toBe('SIP/2.0 200 OK')
    expect(stage.counter('calls.confirmed')).toBe(0)
  })

  test('a CANCEL passes both, and so does the 487', () => {
    const stage = new Stage(two)
    const invite = stage.invite()
    const out = stage.sent(callee, 'INVITE ')
    stage.say(callee, response(callee, out, 180)).say(caller, follower(invite, 'CANCEL'))
    const cancel = stage.sent(callee, 'CANCEL ')
    stage.say(callee, response(callee, cancel, 200)).say(callee, response(callee, out, 487))
    expect(stage.heard(caller)).toEqual([
      'SIP/2.0 100 Trying',
      'SIP/2.0 180 Ringing',
      'SIP/2.0 200 OK',
      'SIP/2.0 487 Request Terminated',
    ])
    stage.say(caller, follower(invite, 'ACK', response(callee, invite, 487)))
    expect(stage.over()).toBe(0)
  })

  test('what the first one refuses, the second one never hears of', () => {
    const refuses: Handlers = {
      doInvite: ({ message }) => [
        { kind: 'respond', request: message?.request ?? '', response: { status: 603, headers: [], body: '' } },
      ],
    }
    const stage = new Stage({ applications: { screens: refuses, bills: proxies } })
    stage.invite()
    expect(stage.asked).toEqual(['screens doInvite'])
    expect(stage.heard(caller)).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 603 Decline'])
  })

  test('what the second one fails at is a 500, by way of the first one', () => {
    const stage = new Stage({ applications: { screens: proxies, bills: { doInvite: () => 'fail' } } })
    stage.invite()
    expect(stage.heard(caller)).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 500 Server Internal Error'])
    expect(stage.heard(callee)).toEqual([])
  })

  describe('a 3xx, with `recurse` (JSR 289 10.2.6)', () => {
    const follows: Handlers = {
      doInvite: (event) => {
        const plan = { targets: [], recurse: true, timeout: null }
        return [{ kind: 'proxy', request: event.message?.request ?? '', plan }]
      },
    }
    const redirected = (screens: Handlers, bills: Handlers): Stage => {
      const stage = new Stage({ applications: { screens, bills } })
      stage.invite()
      const moved = { ...callee, contact: other.contact }
      return stage.say(callee, response(moved, stage.sent(callee, 'INVITE '), 302))
    }

    test('is followed by the last application; the first one sees a call that went through', () => {
      const stage = redirected(follows, follows)
      const invite = stage.sent(other, 'INVITE ')
      expect(values(parsed(invite), 'Via')).toHaveLength(3)
      stage.say(other, response(other, invite, 200))
      expect(stage.heard(caller)).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 200 OK'])
      expect(stage.asked).toEqual(['screens doInvite', 'bills doInvite'])
    })

    test('that the last one does not follow is the caller’s: the first one does not lead round those after it', () => {
      const stage = redirected(follows, proxies)
      expect(stage.heard(other)).toEqual([])
      expect(header(parsed(stage.sent(caller, 'SIP/2.0 302')), 'Contact')).toBe(`<${other.contact}>`)
    })
  })

  test("a request without a list of its method is nobody's; one that `*` names goes to both", () => {
    const message = request(caller, 'MESSAGE', SET)
    const none = new Stage(two)
    none.say(caller, message)
    expect([none.asked, none.heard(callee)]).toEqual([[], [`MESSAGE ${SET}`]])
    const all = new Stage({ ...two, router: { '*': both['INVITE'] ?? [] } })
    all.say(caller, message)
    expect(all.asked).toEqual(['screens doMessage', 'bills doMessage'])
    all.say(callee, response(callee, all.sent(callee, 'MESSAGE '), 200))
    expect([all.heard(callee), all.heard(caller)]).toEqual([[`MESSAGE ${SET}`], ['SIP/2.0 200 OK']])
  })

  test('a fork has a group of the next application for each target', () => {
    const forks: Handlers = {
      doInvite: (event) => [onward(event, 'sip:other@127.39.0.4:5066', 'sip:callee@127.36.0.3:5064')],
    }
    const stage = new Stage({ applications: { screens: forks, bills: proxies } })
    stage.invite()
    expect(stage.asked).toEqual(['screens doInvite', 'bills doInvite', 'bills doInvite'])
    expect(new Set(stage.trio.calls.map(({ view }) => view.id)).size).toBe(3)
    expect(stage.heard(callee)).toEqual(['INVITE sip:callee@127.36.0.3:5064'])
    expect(stage.heard(other)).toEqual(['INVITE sip:other@127.39.0.4:5066'])
  })

  test('one call has one record, and counts once for its limits', () => {
    const stage = new Stage({ ...two, bounds: { calls: 1, out: 1, rate: 1 } })
    const { a } = stage.talk()
    expect([stage.counter('calls.all'), stage.counter('calls.confirmed')]).toEqual([1, 2])
    stage.say(caller, inDialog(caller, a, 'BYE', 2))
    stage.say(callee, response(callee, stage.sent(callee, 'BYE '), 200))
    const { store } = stage.trio.replica(must(stage.trio.ids[0], 'a replica'))
    const told = must(store.tail, 'events')
      .since(0 as never)
      .flatMap(({ texts }) => texts)
    const events = told.map((text) => (JSON.parse(text) as { readonly event: string }).event)
    expect(events.filter((event) => event.startsWith('call-'))).toEqual([
      'call-started',
      'call-ringing',
      'call-answered',
      'call-ended',
    ])
    expect(stage.counter('calls.all')).toBe(0)
  })

  test('decision 0026: what it sends itself needs no access list, and the callee of the call may speak in it', () => {
    const stage = new Stage({ ...two, access: ['127.39.0.2/32'] })
    const { b } = stage.talk()
    stage.say(callee, inDialog(callee, b, 'BYE', 1))
    expect(stage.heard(caller)).toEqual([expect.stringMatching(/^BYE sip:caller@/)])
  })

  test('a Route that somebody else made up is no place in a chain', () => {
    const stage = new Stage({ applications: { screens: { doInvite: () => 'fail' }, bills: proxies } })
    stage.invite({
      headers: [['Route', `<sip:127.36.0.1:5060;lr;hf=1${'0'.repeat(32)};hfc=96010200c0${'0'.repeat(16)}>`]],
    })
    expect(stage.asked).toEqual(['screens doInvite'])
  })
})

describe("[JSR 30] the owner of a chain's group dies", () => {
  test.each([0, 1])('of application %d, after the call is up: the BYE passes both all the same', (which) => {
    const stage = new Stage({ ...two, replicas: 3 })
    const { a } = stage.talk()
    const owner = must(stage.trio.calls[which], 'somebody was asked').by
    stage.trio.kill(owner)
    stage.trio.pass(2_000)
    const alive = stage.trio.ids.find((id) => id !== owner)
    stage.say(caller, inDialog(caller, a, 'BYE', 2), alive)
    expect(stage.asked.slice(2)).toEqual(['screens doBye', 'bills doBye'])
    expect(stage.heard(callee)).toEqual([expect.stringMatching(/^BYE /)])
    const state = stage.trio.calls.slice(2).map(({ view }) => [view.stateInfo, view.region])
    expect(state).toEqual([
      [0, 'originating'],
      [1, 'terminating'],
    ])
  })

  test('of the first one, while the second one is asked: what the first sent is sent again, and is the same call', () => {
    const stage = new Stage({ ...two, replicas: 3 })
    stage.trio.sip(must(stage.trio.ids[0], 'a replica'), caller.flow, request(caller, 'INVITE', SET))
    stage.trio.pass(20)
    const first = must(stage.trio.calls[0], 'screens is asked')
    stage.trio.answer(first, onward(first))
    stage.trio.pass(20)
    stage.trio.kill(first.by)
    stage.trio.pass(2_000)
    stage.settle()
    stage.trio.pass(2_000)
    stage.settle()
    const out = stage.trio.sent.filter(({ data }) => data.startsWith('INVITE '))
    expect(new Set(out.map(({ data }) => data)).size).toBe(1)
  })
})

describe('[JSR 30] a chain with a B2BUA', () => {
  test.each([
    ['first', { screens: b2bua, bills: proxies }],
    ['last', { screens: proxies, bills: b2bua }],
  ])('%s: its other leg goes on, and both hang up as one', (_, applications) => {
    const stage = new Stage({ applications })
    const { a } = stage.talk()
    expect(stage.asked.filter((one) => one.endsWith('doInvite'))).toEqual(['screens doInvite', 'bills doInvite'])
    stage.say(caller, inDialog(caller, a, 'BYE', 2))
    stage.say(callee, response(callee, stage.sent(callee, 'BYE '), 200))
    expect(stage.heard(caller)).toContain('SIP/2.0 200 OK')
    expect(stage.counter('calls.confirmed')).toBe(0)
    expect(stage.over()).toBe(0)
  })

  test('the callee hangs up: the BYE comes back through the chain', () => {
    const stage = new Stage({ applications: { screens: b2bua, bills: proxies } })
    const { b } = stage.talk()
    stage.say(callee, inDialog(callee, b, 'BYE', 1))
    expect(stage.heard(caller)).toEqual([expect.stringMatching(/^BYE sip:caller@/)])
    expect(stage.heard(callee)).toEqual(['SIP/2.0 200 OK'])
  })
})

describe('[JSR 30] a call that an order places, with no handler running', () => {
  const first = {
    from: '<sip:desk@example.com>',
    to: `<${SET}>`,
    requestUri: SET,
    routes: [],
    callId: 'placed',
    headers: [],
    body: '',
  }
  const ops: readonly Op[] = [{ kind: 'create-session', id: '1', first: { method: 'INVITE', ...first } }]
  const order = { application: 'desk', version: '1', target: { kind: 'new' }, ops } as const
  const applications = { desk: {}, screens: proxies, bills: proxies }

  function place(stage: Stage): Stage {
    stage.trio.step(must(stage.trio.ids[0], 'a replica'), { kind: 'admin', id: 7, query: { kind: 'order', order } })
    return stage.settle()
  }

  test('goes to the applications that the table names for it', () => {
    const stage = place(new Stage({ applications }))
    expect(stage.asked).toEqual(['screens doInvite', 'bills doInvite'])
    expect(values(parsed(stage.sent(callee, 'INVITE ')), 'Route')).toEqual([])
  })

  test('goes where the router’s module says, which is asked before anything is done; nothing is, if it can’t be followed', () => {
    const named = (name: string) => ({ stateInfo: null, application: name })
    const module = ({ questions = [] }: AskedBy): unknown =>
      questions.map(({ directive }) => (directive === 'NEW' ? named('bills') : null))
    const stage = place(new Stage({ applications, module }))
    expect(stage.asked).toEqual(['router getNextApplication', 'bills doInvite', 'router getNextApplication'])
    expect(stage.heard(callee)).toEqual([`INVITE ${SET}`])
    const lost = place(new Stage({ applications, module: () => [named('nobody')] }))
    expect(lost.asked).toEqual(['router getNextApplication'])
    expect(lost.heard(callee)).toEqual([])
    expect(JSON.stringify(lost.trio.replies)).toContain('this set runs no application of that name')
  })
})

describe('[JSR 30] a key of an application that is not the first', () => {
  const applications = { screens: proxies, bills: { ...proxies, applicationKey: () => [] } }

  test("leads its calls to one session, by way of each call's group of the chain", () => {
    const stage = new Stage({ applications })
    const { a, b } = stage.talk()
    expect(stage.asked).toEqual(['screens doInvite', 'bills applicationKey', 'bills doInvite'])
    stage.invite({ callId: 'another@127.39.0.2' })
    const second = stage.sent(callee, 'INVITE ')
    expect(values(parsed(second), 'Route')).toEqual([])
    const groups = stage.trio.calls.flatMap(({ handler, application, view }) =>
      application === 'bills' && handler === 'doInvite' ? [view.group] : [],
    )
    expect(groups).toHaveLength(2)
    expect(new Set(groups).size).toBe(1)
    stage.say(caller, inDialog(caller, a, 'BYE', 2))
    stage.say(callee, response(callee, stage.sent(callee, 'BYE '), 200))
    expect(stage.heard(caller)).toContain('SIP/2.0 200 OK')
    expect(b.callId).toBe(a.callId)
  })
})

describe('[JSR 30] a router of its own', () => {
  const next = (application: string, stateInfo: number) => ({ application, stateInfo, region: 'neutral' })

  test('is asked NEW for what comes, and CONTINUE, with its state, for what an application sends', () => {
    const questions: unknown[] = []
    const stage = new Stage({
      ...two,
      module: ({ questions: [one] = [] }) => {
        questions.push([one?.directive, one?.region, one?.stateInfo, one?.text.split('\r\n')[0]])
        const place = typeof one?.stateInfo === 'number' ? one.stateInfo + 1 : 0
        return [[next('screens', 0), next('bills', 1)][place] ?? null]
      },
    })
    stage.invite()
    expect(stage.asked).toEqual([
      'router getNextApplication',
      'screens doInvite',
      'router getNextApplication',
      'bills doInvite',
      'router getNextApplication',
    ])
    const line = `INVITE ${SET} SIP/2.0`
    expect(questions).toEqual([
      ['NEW', null, null, line],
      ['CONTINUE', 'neutral', 0, line],
      ['CONTINUE', 'neutral', 1, line],
    ])
    expect(stage.heard(callee)).toEqual([`INVITE ${SET}`])
  })

  test.each([
    ['throws nothing but rubbish', () => 'rubbish'],
    ['names an application that is not there', () => [next('nobody', 0)]],
    ['has a state that is too large', () => [{ application: 'screens', stateInfo: 'x'.repeat(600) }]],
    ['has routes that are none', () => [{ modifier: 'ROUTE', routes: ['nowhere'] }]],
  ])('that %s: the request gets 500, and nothing is kept', (_, module) => {
    const stage = new Stage({ ...two, module })
    stage.invite()
    expect(stage.heard(caller)).toEqual(['SIP/2.0 500 Server Internal Error'])
    expect(stage.over()).toBe(0)
  })

  test.each([
    ['after the commit, goes as it was said then', true, ['bills']],
    ['before the commit, goes as it is said now', false, []],
  ])('that changes its mind when the owner has died %s', (_, isCommitted, then) => {
    let billed = true
    const stage = new Stage({
      ...two,
      replicas: 3,
      module: ({ questions: [one] = [] }) => {
        if (one?.directive === 'NEW') return [next('screens', 0)]
        return [billed && one?.stateInfo === 0 ? next('bills', 1) : null]
      },
    })
    const { trio } = stage
    const answer = (ops: readonly Op[], result: unknown): AskedBy => {
      const call = must(trio.calls.at(-1), 'somebody is asked')
      trio.step(call.by, { kind: 'answered', id: call.id, answer: { kind: 'done', ops, result } })
      return call
    }
    trio.sip(must(trio.ids[0], 'a replica'), caller.flow, request(caller, 'INVITE', SET))
    trio.pass(20)
    answer([], [next('screens', 0)])
    trio.pass(20)
    answer([onward(must(trio.calls.at(-1), 'screens is asked'))], null)
    trio.pass(20)
    expect(trio.calls.at(-1)?.handler).toBe('getNextApplication')
    const owner = must(trio.calls.at(-1), 'the router is asked').by
    if (!isCommitted) trio.frames = (from) => from !== owner
    answer([], [next('bills', 1)])
    trio.pass(20)
    expect(trio.calls.at(-1)?.application).toBe(isCommitted ? 'bills' : 'router')
    trio.kill(owner)
    trio.frames = () => true
    billed = false
    for (let n = 0; n < 2; n++) {
      trio.pass(2_000)
      stage.settle()
    }
    const out = trio.sent.filter(({ data }) => data.startsWith('INVITE ')).map(({ data }) => data)
    expect(new Set(out).size).toBe(1)
    expect(values(parsed(must(out[0], 'an INVITE')), 'Via')).toHaveLength(2 + then.length)
    expect([...new Set(trio.calls.map(({ application }) => application))]).toEqual(['router', 'screens', ...then])
  })

  test('that leads in a circle is stopped', () => {
    const stage = new Stage({ ...two, module: () => [next('screens', 0)] })
    stage.invite()
    expect(stage.asked.filter((one) => one === 'screens doInvite')).toHaveLength(32)
    for (let n = 0; n < 60; n++) stage.trio.pass(10)
    expect(stage.heard(caller)).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 500 Server Internal Error'])
  })

  test('that names nobody leaves the call to the set, and is not asked again', () => {
    const stage = new Stage({ ...two, module: () => [null] })
    const invite = stage.invite()
    stage.say(caller, invite)
    expect(stage.asked).toEqual(['router getNextApplication'])
    expect(stage.heard(callee)).toEqual([`INVITE ${SET}`])
  })

  test('ROUTE sends it elsewhere, ROUTE_BACK with a way back into the chain', () => {
    const routes = ['sip:127.39.0.4:5066;lr']
    const away = new Stage({ ...two, module: () => [{ modifier: 'ROUTE', routes }] })
    away.invite()
    expect(away.heard(other)).toEqual([`INVITE ${SET}`])
    const stage = new Stage({
      ...two,
      module: ({ questions: [one] = [] }) =>
        one?.stateInfo === 7
          ? [next('bills', 1)]
          : one?.stateInfo === 1
            ? [null]
            : [{ modifier: 'ROUTE_BACK', routes, stateInfo: 7 }],
    })
    stage.invite()
    const out = stage.sent(other, 'INVITE ')
    const [first, back = ''] = values(parsed(out), 'Route')
    expect(first).toBe('<sip:127.39.0.4:5066;lr>')
    // The other one is a proxy: it takes its Route away, and puts its Via on top.
    const returned = out
      .replace('<sip:127.39.0.4:5066;lr>, ', '')
      .replace('Route: <sip:127.39.0.4:5066;lr>\r\n', '')
      .replace('\r\nVia: ', '\r\nVia: SIP/2.0/UDP 127.39.0.4:5066;branch=z9hG4bK-other-1\r\nVia: ')
    expect(back).toMatch(/;hfc=/)
    stage.say(other, returned)
    expect(stage.asked.filter((one) => one.endsWith('doInvite'))).toEqual(['bills doInvite'])
    expect(stage.heard(callee)).toEqual([`INVITE ${SET}`])
  })
})
