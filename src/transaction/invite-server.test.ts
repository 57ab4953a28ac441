import { describe, expect, test } from 'vitest'
import { instant, micros, plus, seconds } from '../base/instant.ts'
import { inviteServerDeadline, resumeInviteServer, startInviteServer, stepInviteServer } from './invite-server.ts'
import type { InviteServer, InviteServerEvent } from './invite-server.ts'

const t0 = instant(1_000)
const respond = (status: number): InviteServerEvent => ({ kind: 'respond', status })
const ack: InviteServerEvent = { kind: 'ack' }

function inState(state: InviteServer['state']): InviteServer {
  switch (state) {
    case 'confirmed':
      return stepInviteServer(inState('completed'), ack, t0).machine
    case 'terminated':
      return { state, reliable: false, g: null, end: null }
    default:
      return resumeInviteServer(state, false, micros(0), t0)
  }
}

describe('RFC 3261 figure 7, RFC 6026 figure 5: INVITE server transaction', () => {
  test('17.2.1: timer G doubles up to T2 until timer H', () => {
    let machine = stepInviteServer(startInviteServer(false), respond(486), t0).machine
    const sent: number[] = []
    let now = t0
    for (let at = inviteServerDeadline(machine); at !== null; at = inviteServerDeadline(machine)) {
      now = at
      const step = stepInviteServer(machine, { kind: 'time' }, now)
      machine = step.machine
      if (step.actions.includes('send-final')) sent.push((now - t0) / 1_000)
    }
    expect(sent).toEqual([500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
    expect(now).toBe(plus(t0, seconds(32)))
    expect(machine.state).toBe('terminated')
  })

  test('17.2.1: on a reliable transport there is no timer G, and timer I is zero', () => {
    const completed = stepInviteServer(startInviteServer(true), respond(486), t0).machine
    expect(completed.g).toBeNull()
    expect(inviteServerDeadline(completed)).toBe(plus(t0, seconds(32)))
    expect(stepInviteServer(completed, ack, t0).machine.state).toBe('terminated')
  })

  test.each([
    ['confirmed', 5],
    ['accepted', 32],
  ] as const)('timers I and L end %s after %d s', (state, s) => {
    const machine = inState(state)
    expect(inviteServerDeadline(machine)).toBe(plus(t0, seconds(s)))
    expect(stepInviteServer(machine, { kind: 'time' }, plus(t0, seconds(s))).machine.state).toBe('terminated')
  })

  test('design.md 4: at a new owner timers H and L go on from the committed stamp', () => {
    expect(resumeInviteServer('completed', false, seconds(30), t0).end).toBe(plus(t0, seconds(2)))
    expect(resumeInviteServer('accepted', true, seconds(31), t0).end).toBe(plus(t0, seconds(1)))
    expect(inviteServerDeadline(resumeInviteServer('proceeding', false, seconds(99), t0))).toBeNull()
  })
})
