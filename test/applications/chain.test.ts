// The router of docs/examples with two applications that know nothing of each other, at whole replicas: screening, then prepaid.

import { expect, test } from 'vitest'
import { prepaid } from '../../docs/examples/applications/prepaid.ts'
import { router } from '../../docs/examples/applications/router.ts'
import { screening } from '../../docs/examples/applications/screening.ts'
import { must } from '../../src/base/assert.ts'
import { callerLeg, inDialog, phone, request, response } from '../../src/call/testing/phone.ts'
import type { Phone } from '../../src/call/testing/phone.ts'
import { Trio } from '../../src/replica/testing/trio.ts'
import { runHandler } from '../../src/servlet/run-handler.ts'

const caller = phone('caller', '127.83.1.2', 5062)
const callee = phone('callee', '127.36.0.3', 5064)
const applications = [screening, prepaid, router]

class Set {
  readonly trio = new Trio(
    1,
    {},
    applications.map(({ name, version, handlers }) => ({ name, version: version ?? '1', handlers })),
  ).begin()
  readonly ran: string[] = []
  #answered = 0

  say(from: Phone, data: string): void {
    const at = this.trio.leader()
    this.trio.sip(at, from.flow, data)
    this.pass(100)
  }

  /** Handlers run as soon as they are asked for. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 10) {
      this.trio.pass(10)
      for (const call of this.trio.calls.slice(this.#answered)) {
        this.#answered++
        const application = must(
          applications.find(({ name }) => name === call.application),
          call.application,
        )
        this.ran.push(`${call.application} ${call.handler}`)
        const run = runHandler(application, call)
        if (run.kind === 'pending') throw new Error('it is async')
        this.trio.step(call.by, { kind: 'answered', id: call.id, answer: run.answer })
      }
    }
  }

  sent(to: Phone, start: string): string {
    const found = this.trio.sent.findLast(({ flow, data }) => flow.port === to.flow.port && data.startsWith(start))
    return must(found, `${start} to ${to.name}`).data
  }
}

function inviteOf(user: string, called = 'callee'): string {
  const text = request(caller, 'INVITE', `sip:${called}@127.36.0.1:5060`, { to: `<sip:${called}@example.com>` })
  return text.replace('sip:caller@example.com', `sip:${user}@example.com`)
}

test('[JSR 30] screening, then prepaid: who is let through pays, and is cut off when nothing is left', () => {
  const set = new Set()
  set.say(caller, inviteOf('bob'))
  set.say(callee, response(callee, set.sent(callee, 'INVITE '), 200))
  set.say(caller, inDialog(caller, callerLeg(set.sent(caller, 'SIP/2.0 200')), 'ACK', 1))
  expect(set.ran.filter((one) => !one.includes('sessionReady'))).toEqual([
    'router getNextApplication',
    'screening doInvite',
    'router getNextApplication',
    'prepaid doInvite',
    'router getNextApplication',
    'prepaid doSuccessResponse',
  ])
  // Bob has three seconds.
  set.pass(3_500)
  expect(set.sent(callee, 'BYE ')).toContain('Call-ID: call-1')
  expect(set.sent(caller, 'BYE ')).toContain('Call-ID: call-1')
})

test('[JSR 30] who is refused by the first is never asked for money', () => {
  const set = new Set()
  set.say(caller, inviteOf('mallory'))
  expect(set.sent(caller, 'SIP/2.0 603')).toContain('Not From You')
  expect(set.ran).toEqual(['router getNextApplication', 'screening doInvite'])
})

test('[JSR 30] the router may choose another chain for another callee', () => {
  const set = new Set()
  set.say(caller, inviteOf('mallory', 'dave'))
  expect(set.ran).toEqual(['router getNextApplication', 'prepaid doInvite'])
  expect(set.sent(caller, 'SIP/2.0 402')).toContain('No Credit')
})
