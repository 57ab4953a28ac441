import { describe, expect, test } from 'vitest'
import { instant, micros, millis, plus, seconds } from '../base/instant.ts'
import { inviteClientDeadline, resumeInviteClient, startInviteClient, stepInviteClient } from './invite-client.ts'
import type { InviteClient, InviteClientEvent } from './invite-client.ts'

const t0 = instant(1_000)

function inState(state: InviteClient['state'], reliable = false): InviteClient {
  return resumeInviteClient(state, reliable, micros(0), t0)
}

const response = (status: number): InviteClientEvent => ({ kind: 'response', status })

describe('RFC 3261 figure 5, RFC 6026 figure 7: INVITE client transaction', () => {
  test('17.1.1.2: timer A doubles without a bound and timer B ends it after 64*T1', () => {
    let machine = startInviteClient(false, t0)
    const sent: number[] = []
    let now = t0
    for (;;) {
      const deadline = inviteClientDeadline(machine)
      if (deadline === null) break
      now = deadline
      const step = stepInviteClient(machine, { kind: 'time' }, now)
      machine = step.machine
      if (step.actions.includes('send-request')) sent.push((now - t0) / 1_000)
      if (step.actions.includes('timeout')) break
    }
    expect(sent).toEqual([600, 1_800, 4_200, 9_000, 18_600])
    expect(now).toBe(plus(t0, seconds(32)))
    expect(machine.state).toBe('terminated')
  })

  test('17.1.1.2: on a reliable transport nothing is retransmitted, and timer D is zero', () => {
    const machine = startInviteClient(true, t0)
    expect(inviteClientDeadline(machine)).toBe(plus(t0, seconds(32)))
    expect(stepInviteClient(machine, response(486), t0).machine.state).toBe('terminated')
  })

  test('a provisional stops timers A and B: only timer C is left, which is not here', () => {
    expect(inviteClientDeadline(stepInviteClient(startInviteClient(false, t0), response(100), t0).machine)).toBeNull()
  })

  test('design.md 4: at a new owner timer B goes on from the committed stamp, timer A with its second interval', () => {
    const machine = resumeInviteClient('calling', false, seconds(20), t0)
    expect(machine.a?.at).toBe(plus(t0, millis(1_000)))
    expect(machine.end).toBe(plus(t0, seconds(12)))
    expect(resumeInviteClient('calling', false, seconds(40), t0).end).toBe(t0)
  })

  test.each([
    ['completed', 32],
    ['accepted', 32],
  ] as const)('timers D and M end %s after %d s', (state, s) => {
    const machine = inState(state)
    const early = stepInviteClient(machine, { kind: 'time' }, instant(plus(t0, seconds(s)) - 1))
    expect(early.machine).toBe(machine)
    const due = stepInviteClient(machine, { kind: 'time' }, plus(t0, seconds(s)))
    expect([due.machine.state, due.actions]).toEqual(['terminated', []])
  })
})
