// One input of a replica as a line of the trace. Datagrams have their own line when they reach the set, and time passes unseen.

import { mixBytes, mixText } from '../src/base/hash.ts'
import type { InputBody } from '../src/replica/input.ts'
import { nameOf, summary } from './sip-network.ts'
import type { Trace } from './trace.ts'

export function traceInput(trace: Trace, id: number, body: InputBody): void {
  switch (body.kind) {
    case 'sip':
    case 'time':
      break
    case 'peer':
      trace.event(mixBytes(id, body.frame).high, () => `[${id}] <- ${body.from} frame of ${body.frame.length}`)
      break
    case 'link':
      trace.tell(`[${id}] link to ${body.peer} ${body.state.kind}`)
      break
    case 'persisted':
      trace.event(body.upTo, () => `[${id}] persisted ${body.upTo}`)
      break
    case 'unsent':
      trace.event(
        mixText(id, body.send.data).low,
        () => `[${id}] unsent (${body.reason}) to ${nameOf(body.send.flow)} ${summary(body.send.data)}`,
      )
      break
    case 'admin':
      trace.tell(`[${id}] is asked for lookup ${body.id}`)
      break
    case 'http':
      trace.tell(`[${id}] has the request ${body.id} of a browser`)
      break
    default:
      trace.tell(`[${id}] ${body.kind}`)
  }
}
