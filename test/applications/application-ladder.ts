// A ladder whose group has an application: its handlers run where they are asked, and what they did is in the group's commit. A
// takeover loses all that wasn't committed, as at a replica.

import { stepGroup } from '../../src/app/group.ts'
import type { StepResult } from '../../src/app/group.ts'
import type { AppContext } from '../../src/app/context.ts'
import type { AppAnswer } from '../../src/app/contract.ts'
import { index } from '../../src/base/brand.ts'
import type { CallContext, CallInput, CallSettings } from '../../src/call/contract.ts'
import type { Group } from '../../src/call/group-state.ts'
import { Ladder } from '../../src/call/testing/ladder.ts'
import { phone } from '../../src/call/testing/phone.ts'
import type { Phone } from '../../src/call/testing/phone.ts'
import type { Application } from '../../src/servlet/application.ts'
import { runHandler } from '../../src/servlet/run-handler.ts'

export interface Stage {
  readonly ladder: Ladder
  readonly caller: Phone
  readonly callee: Phone
  /** Handlers that ran, in order, `!` behind those whose turn came to nothing. */
  readonly ran: string[]
  /** Why. */
  readonly failures: string[]
}

export const HOST = '127.83.0.1'

/** `goesOut`: new calls go to where their Request-URI says, not to the callee. */
export function stageOf(application: Application, goesOut = false): Stage {
  const { name, version, handlers } = application
  const caller = phone('caller', '127.83.0.2', 5062)
  const callee = phone('callee', '127.83.0.3', 5064)
  const ran: string[] = []
  const failures: string[] = []
  const info = { name, version: version ?? '1', handlers }
  const { host, port, transport } = callee.flow
  const settings: CallSettings = {
    sip: { host: HOST, port: 5060 },
    nextHop: goesOut ? null : { host, port, transport },
  }
  let calls = 0
  const step = (group: Group, input: CallInput, plain: CallContext): StepResult => {
    const ctx: AppContext = { ...plain, applications: [info], applied: index(0) }
    const asked = stepGroup(group, input, ctx)
    if (asked.asks === null) return asked
    const { event, call } = asked.asks
    const run = runHandler(application, { ...call, id: ++calls })
    const answer: AppAnswer = run.kind === 'answered' ? run.answer : { kind: 'failed', reason: 'it is async' }
    const result = stepGroup(group, input, ctx, { event, answer })
    ran.push(result.failure === null ? call.handler : `${call.handler}!`)
    if (result.failure !== null) failures.push(result.failure.reason)
    return result
  }
  const ladder = new Ladder(settings, [caller, callee], step)
  ladder.hasApplications = true
  return { ladder, caller, callee, ran, failures }
}
