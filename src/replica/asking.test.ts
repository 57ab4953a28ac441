// Decision 0031 at whole replicas: an application is asked, and its answer becomes one commit.

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import type { ApplicationInfo, HandlerName, Op } from '../app/contract.ts'
import { appLimits } from '../app/limits.ts'
import { seconds } from '../base/instant.ts'
import { calleeLeg, follower, inDialog, phone, request, response } from '../call/testing/phone.ts'
import type { Phone } from '../call/testing/phone.ts'
import { Trio } from './testing/trio.ts'
import type { AskedBy } from './testing/trio.ts'

const caller = phone('caller', '127.38.0.2', 5062)
const callee = phone('callee', '127.36.0.3', 5064)
const other = phone('other', '127.38.0.4', 5066)
const invite = request(caller, 'INVITE', 'sip:callee@127.36.0.1:5060')

/** A set of one: what is committed is so at once. */
function loneWith(...handlers: readonly HandlerName[]): { readonly trio: Trio; readonly at: ReplicaId } {
  const trio = setOf(1, ...handlers)
  return { trio, at: trio.leader() }
}

function setOf(count: number, ...handlers: readonly HandlerName[]): Trio {
  const application: ApplicationInfo = { name: 'screen', version: '1', handlers }
  return new Trio(count, {}, [application]).begin()
}

/** A message reaches that replica, and what it leads to is over. */
function say(trio: Trio, at: ReplicaId, from: Phone, data: string): void {
  trio.sip(at, from.flow, data)
  trio.pass(20)
}

function answer(trio: Trio, ...ops: readonly Op[]): void {
  trio.answer(lastAsked(trio), ...ops)
  trio.pass(20)
}

/** First lines of what went to a phone, since the last look. */
function heard(trio: Trio, to: Phone): readonly string[] {
  const lines = trio.sent.filter(({ flow }) => flow.port === to.flow.port)
  for (const one of lines) trio.sent.splice(trio.sent.indexOf(one), 1)
  return lines.map(({ data }) => data.slice(0, data.indexOf('\r\n')).replace(/ SIP\/2\.0$/, ''))
}

function sentTo(trio: Trio, to: Phone, start: string): string {
  const found = trio.sent.findLast(({ flow, data }) => flow.port === to.flow.port && data.startsWith(start))
  return must(found, `${start} to ${to.name}`).data
}

function lastAsked(trio: Trio): AskedBy {
  return must(trio.calls.at(-1), 'somebody was asked')
}

const refusal: Op = {
  kind: 'respond',
  request: '1',
  response: { status: 603, headers: [['Warning', '399 set "not now"']], reason: 'No', body: '' },
}

/** To the set's own route. */
const onward: Op = { kind: 'proxy', request: '1', plan: { targets: [], recurse: false, timeout: null } }

describe('an INVITE that begins a call', () => {
  test('waits for its application; nothing is sent or committed before', () => {
    const { trio, at } = loneWith('doInvite')
    const { appliedIndex } = trio.replica(at).store
    say(trio, at, caller, invite)
    expect(trio.calls.map(({ application, handler, message }) => [application, handler, message?.isInitial])).toEqual([
      ['screen', 'doInvite', true],
    ])
    expect(lastAsked(trio).message?.text.startsWith('INVITE ')).toBe(true)
    expect(lastAsked(trio).view.sessions.map(({ id }) => id)).toEqual([lastAsked(trio).message?.session])
    expect(trio.sent).toEqual([])
    expect(trio.replica(at).store.appliedIndex).toBe(appliedIndex)
    answer(trio, onward)
    expect(heard(trio, callee)).toEqual(['INVITE sip:callee@127.36.0.1:5060'])
    expect(heard(trio, caller)).toEqual(['SIP/2.0 100 Trying'])
  })

  test('[JSR 1] the session that its handler sees is the one that all later handlers see', () => {
    const { trio, at } = loneWith('doInvite', 'doErrorResponse')
    say(trio, at, caller, invite)
    const { id } = lastAsked(trio).view
    trio.pass(40)
    answer(trio, onward)
    say(trio, at, callee, response(callee, sentTo(trio, callee, 'INVITE '), 486))
    expect(lastAsked(trio).handler).toBe('doErrorResponse')
    expect(lastAsked(trio).view.id).toBe(id)
  })

  test.each([null, 180])('is told to have failed, of the SipSession that it has, after %s', (before) => {
    const { trio, at } = loneWith('doErrorResponse')
    say(trio, at, caller, invite)
    const forwarded = sentTo(trio, callee, 'INVITE ')
    if (before !== null) say(trio, at, callee, response(callee, forwarded, before, [], 'another'))
    say(trio, at, callee, response(callee, forwarded, 486))
    const { handler, message, view } = lastAsked(trio)
    expect(handler).toBe('doErrorResponse')
    expect(view.sessions.map(({ id }) => id)).toEqual([message?.session])
    answer(trio)
    expect(heard(trio, caller).at(-1)).toBe('SIP/2.0 486 Busy Here')
  })

  test('that its handler neither proxies nor answers waits for it, in the log', () => {
    const { trio, at } = loneWith('doInvite')
    say(trio, at, caller, invite)
    answer(trio)
    expect(heard(trio, callee)).toEqual([])
    expect(heard(trio, caller)).toEqual(['SIP/2.0 100 Trying'])
    // Until its session expires.
    trio.pass(200_000)
    expect(heard(trio, caller)).toContain('SIP/2.0 500 Server Internal Error')
  })

  test('[JSR 29] goes where the application proxies it, to a group of targets after another', () => {
    const { trio, at } = loneWith('doInvite')
    say(trio, at, caller, invite)
    const targets = [['sip:other@127.38.0.4:5066'], ['sip:callee@127.36.0.3:5064']]
    answer(trio, { kind: 'proxy', request: '1', plan: { targets, recurse: false, timeout: null } })
    expect(heard(trio, callee)).toEqual([])
    const forwarded = sentTo(trio, other, 'INVITE sip:other@127.38.0.4:5066 ')
    say(trio, at, other, response(other, forwarded, 486))
    expect(heard(trio, callee)).toEqual(['INVITE sip:callee@127.36.0.3:5064'])
  })

  test('is refused by it in one commit, and again with the same bytes', () => {
    const { trio, at } = loneWith('doInvite')
    say(trio, at, caller, invite)
    answer(trio, refusal)
    const said = sentTo(trio, caller, 'SIP/2.0 603 No')
    expect(said).toContain('Warning: 399 set "not now"')
    expect(heard(trio, caller)).toEqual(['SIP/2.0 100 Trying', 'SIP/2.0 603 No'])
    say(trio, at, caller, invite)
    expect(trio.sent.map(({ data }) => data)).toEqual([said])
    expect(trio.calls).toHaveLength(1)
    say(trio, at, caller, follower(invite, 'ACK', said))
    // What was kept of it goes.
    trio.pass(40_000)
    expect([...trio.replica(at).store.groups()]).toEqual([])
  })

  test.each(['failed', 'late'] as const)('whose handler is %s gets 500, and nothing is kept of it', (how) => {
    const { trio, at } = loneWith('doInvite')
    say(trio, at, caller, invite)
    const { id } = lastAsked(trio)
    if (how === 'failed') trio.step(at, { kind: 'answered', id, answer: { kind: 'failed', reason: 'it threw' } })
    trio.pass(20)
    if (how === 'late') trio.pass(appLimits.handler / 1_000)
    expect(heard(trio, caller)).toEqual(['SIP/2.0 500 Server Internal Error'])
    // The answer that comes after all counts for nothing.
    answer(trio, refusal)
    expect(heard(trio, caller)).toEqual([])
    expect([...trio.replica(at).store.groups()]).toEqual([])
  })

  test('with an operation that is not allowed changes nothing, and gets 500', () => {
    const { trio, at } = loneWith('doInvite')
    say(trio, at, caller, invite)
    answer(trio, refusal, refusal)
    expect(heard(trio, caller)).toEqual(['SIP/2.0 500 Server Internal Error'])
    expect([...trio.replica(at).store.groups()]).toEqual([])
  })

  test('is asked about again by the next owner, if its owner dies before the answer is committed', () => {
    const trio = setOf(3, 'doInvite')
    const [at = trio.leader()] = trio.ids
    say(trio, at, caller, invite)
    const first = lastAsked(trio)
    const keeper = must(
      trio.ids.find((id) => id !== first.by),
      'another one',
    )
    // Whoever has it keeps it: here a replica that lives on.
    if (first.by === at) say(trio, keeper, caller, invite)
    trio.kill(first.by)
    trio.pass(2_000)
    expect(trio.calls).toHaveLength(2)
    expect(lastAsked(trio).by).not.toBe(first.by)
    answer(trio, onward)
    expect(heard(trio, callee)).toEqual(['INVITE sip:callee@127.36.0.1:5060'])
  })
})

describe('what belongs to a call', () => {
  /** A call that is up, with what the callee knows of it. */
  function established(trio: Trio, at: ReplicaId): ReturnType<typeof calleeLeg> {
    say(trio, at, caller, invite)
    const forwarded = sentTo(trio, callee, 'INVITE ')
    say(trio, at, callee, response(callee, forwarded, 200))
    heard(trio, caller)
    heard(trio, callee)
    return calleeLeg(callee, forwarded)
  }

  test('[JSR 32] costs nothing where there is no handler for it, and waits in order where there is', () => {
    const { trio, at } = loneWith('doInfo')
    const leg = established(trio, at)
    expect(trio.calls).toEqual([])
    say(trio, at, callee, inDialog(callee, leg, 'INFO', 1))
    say(trio, at, callee, inDialog(callee, leg, 'UPDATE', 2))
    say(trio, at, callee, inDialog(callee, leg, 'INFO', 3))
    expect(heard(trio, caller)).toEqual([])
    answer(trio)
    expect(heard(trio, caller).map((line) => line.split(' ')[0])).toEqual(['INFO', 'UPDATE'])
    expect(trio.calls).toHaveLength(2)
    answer(trio)
    expect(heard(trio, caller).map((line) => line.split(' ')[0])).toEqual(['INFO'])
  })

  test('is not kept up by a handler that hangs: a BYE passes, and the application is told of it', () => {
    const { trio, at } = loneWith('doInfo', 'doBye')
    const leg = established(trio, at)
    say(trio, at, callee, inDialog(callee, leg, 'INFO', 1))
    say(trio, at, callee, inDialog(callee, leg, 'BYE', 2))
    const bye = sentTo(trio, caller, 'BYE ')
    say(trio, at, caller, response(caller, bye, 200))
    expect(heard(trio, callee)).toEqual(['SIP/2.0 200 OK'])
    trio.pass(appLimits.handler / 1_000)
    expect(trio.calls.map(({ handler }) => handler)).toEqual(['doInfo', 'doBye'])
    answer(trio)
    expect(trio.calls).toHaveLength(2)
  })

  test('[JSR 32] more inputs than may wait make the question fail, and all are handled', () => {
    const { trio, at } = loneWith('doInfo')
    const leg = established(trio, at)
    trio.sip(at, callee.flow, inDialog(callee, leg, 'INFO', 1))
    for (let n = 0; n < appLimits.queued; n++) trio.sip(at, callee.flow, inDialog(callee, leg, 'UPDATE', 2 + n))
    expect(heard(trio, caller)).toEqual([])
    say(trio, at, callee, inDialog(callee, leg, 'UPDATE', 200))
    // Relayed, or refused for want of room in the group: each of them has its answer.
    const requests = heard(trio, caller).filter((line) => !line.startsWith('SIP/2.0 '))
    const refusals = heard(trio, callee).filter((line) => line.startsWith('SIP/2.0 503 '))
    expect(requests[0]?.split(' ')[0]).toBe('INFO')
    expect(requests.length + refusals.length).toBe(appLimits.queued + 2)
  })
})

describe('an INVITE that is proxied by an application', () => {
  const proxy = (recurse: boolean, timeout: number | null, ...targets: readonly (readonly string[])[]): Op => {
    const plan = { targets, recurse, timeout: timeout === null ? null : seconds(timeout) }
    return { kind: 'proxy', request: '1', plan }
  }
  const begun = (op: Op): { readonly trio: Trio; readonly at: ReplicaId } => {
    const { trio, at } = loneWith('doInvite')
    say(trio, at, caller, invite)
    answer(trio, op)
    return { trio, at }
  }

  test('[JSR 29] rings no longer in one group than it says, and goes on to the next', () => {
    const { trio, at } = begun(proxy(false, 10, ['sip:other@127.38.0.4:5066'], ['sip:callee@127.36.0.3:5064']))
    const forwarded = sentTo(trio, other, 'INVITE ')
    say(trio, at, other, response(other, forwarded, 180))
    trio.pass(9_500)
    expect(heard(trio, other).filter((line) => line.startsWith('CANCEL'))).toEqual([])
    trio.pass(1_000)
    say(trio, at, other, response(other, forwarded, 487))
    expect(heard(trio, callee)).toEqual(['INVITE sip:callee@127.36.0.3:5064'])
  })

  test.each([true, false])('[JSR 29] calls the contacts of a 3xx if it says so: %s', (recurse) => {
    const { trio, at } = begun(proxy(recurse, null, ['sip:other@127.38.0.4:5066']))
    const forwarded = sentTo(trio, other, 'INVITE ')
    const moved = response(other, forwarded, 302).replace(
      /Contact: .*\r\n/,
      'Contact: <sip:callee@127.36.0.3:5064>\r\n',
    )
    say(trio, at, other, moved)
    expect(heard(trio, callee)).toEqual(recurse ? ['INVITE sip:callee@127.36.0.3:5064'] : [])
  })
})
