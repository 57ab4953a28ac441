// Which room of a replica a peer's frame is for; Raft's, and those for others, are replica.ts's own.

import { unreachable } from '../base/assert.ts'
import { replicaOf } from '../base/brand.ts'
import type { Life } from '../base/brand.ts'
import type { Instant } from '../base/instant.ts'
import type { Frame, RaftFrame, RelayFrame } from '../wire/frame.ts'
import type { Egress } from './egress.ts'
import type { Judge } from './judge.ts'
import type { LogPort } from './log-port.ts'
import type { Members } from './members.ts'
import type { Orders } from './orders.ts'
import type { Passing } from './passing.ts'
import type { Snapshots } from './snapshots.ts'

export interface FrameRooms {
  readonly log: LogPort
  readonly passing: Passing
  readonly egress: Egress
  readonly orders: Orders
  readonly judge: Judge
  readonly members: Members
  readonly snapshots: Snapshots
}

export function toRoom(
  frame: Exclude<Frame, RaftFrame | RelayFrame>,
  from: Life,
  now: Instant,
  { log, passing, egress, orders, judge, members, snapshots }: FrameRooms,
): void {
  switch (frame.kind) {
    case 'propose':
      return log.onPropose(replicaOf(from), frame.bodies)
    case 'pass':
      return passing.onPass(frame, now)
    case 'passed-on':
      return passing.onPassedOn(frame)
    case 'handled':
      return passing.onHandled(frame)
    case 'egress':
      return egress.onEgress(frame, from)
    case 'sent':
      return egress.onSent(frame)
    case 'unsent':
      return egress.onUnsentFrame(frame)
    case 'snapshot':
      return snapshots.onPiece(from, frame)
    case 'snapshot-ack':
      return snapshots.onAck(from, frame, now)
    case 'ask':
      return members.onAsk(from, frame)
    case 'answer':
      return members.onAnswer(frame)
    case 'order':
      return orders.onOrder(from, frame)
    case 'ordered':
      return orders.onOrdered(frame)
    case 'leave':
      return judge.leaves(from)
    default:
      return unreachable(frame)
  }
}
