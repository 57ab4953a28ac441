// The shapes of what replicas say to each other (frame.ts).

import type {
  AnswerFrame,
  AskFrame,
  EgressFrame,
  Frame,
  HandledFrame,
  LeaveFrame,
  OrderFrame,
  OrderedFrame,
  PassFrame,
  PassedOnFrame,
  ProposeFrame,
  RaftFrame,
  RelayFrame,
  SentFrame,
  SnapshotAckFrame,
  SnapshotFrame,
  UnsentFrame,
} from './frame.ts'
import type { ClockReading } from '../timer/cluster-clock.ts'
import type { Destination, EgressId, PassId } from './entry.ts'
import {
  packedMessageShape,
  packedRecords,
  raftMessageShape,
  raftRecords,
  snapshotMetadataShape,
  unpackedMessage,
} from './raft-shapes.ts'
import { coder, flag, integer, list, oneOf, orNull, record, text, variants } from './shape.ts'
import {
  bytesShape,
  countShape,
  durationShape,
  flowShape,
  groupShape,
  indexShape,
  lifeShape,
  replicaShape,
  sipShape,
  stampShape,
} from './shapes.ts'
import type { Structure } from './pack.ts'
import { versioned } from './versioned.ts'

/** Items of one list in a frame. */
const MOST_ITEMS = 65_536

type Origin = NonNullable<EgressFrame['origin']>

const passId = text<PassId>(1, 128)
const egressId = text<EgressId>(1, 128)
const origin = record<Origin>({ group: text(0, 255), what: text(0, 65_536) })

const clock = record<ClockReading>({ cluster: orNull(stampShape), wall: stampShape })
const raft = record<RaftFrame>({
  kind: oneOf(['raft']),
  messages: list(raftMessageShape, MOST_ITEMS),
  clock,
  applied: indexShape,
})
const propose = record<ProposeFrame>({ kind: oneOf(['propose']), bodies: list(bytesShape, MOST_ITEMS) })
const pass = record<Omit<PassFrame, 'to'>>({
  kind: oneOf(['pass']),
  id: passId,
  keeper: lifeShape,
  hops: integer(0, 255),
  judged: indexShape,
  flow: flowShape,
  data: sipShape,
})
const destination = record<Destination>({
  group: groupShape,
  application: text(0, 256),
  key: text(0, 256),
  chain: bytesShape,
})
const aimedPass = record<PassFrame>({
  kind: oneOf(['pass']),
  id: passId,
  keeper: lifeShape,
  hops: integer(0, 255),
  judged: indexShape,
  flow: flowShape,
  data: sipShape,
  to: orNull(destination),
})
const passedOn = record<PassedOnFrame>({ kind: oneOf(['passed-on']), id: passId, to: destination })
const handled = record<HandledFrame>({
  kind: oneOf(['handled']),
  ids: list(passId, MOST_ITEMS),
  outcome: oneOf(['handled', 'hops']),
})
const egress = record<EgressFrame>({
  kind: oneOf(['egress']),
  id: egressId,
  judged: indexShape,
  flow: flowShape,
  data: sipShape,
  within: durationShape,
  origin: orNull(origin),
})
const sent = record<SentFrame>({ kind: oneOf(['sent']), ids: list(egressId, MOST_ITEMS) })
const unsent = record<UnsentFrame>({
  kind: oneOf(['unsent']),
  flow: flowShape,
  data: sipShape,
  origin: orNull(origin),
  reason: oneOf(['late', 'no-stream', 'unreachable']),
})
const snapshot = record<SnapshotFrame>({
  kind: oneOf(['snapshot']),
  id: integer(1),
  number: integer(1),
  metadata: orNull(snapshotMetadataShape),
  parts: list(bytesShape, MOST_ITEMS),
  isLast: flag,
})
const snapshotAck = record<SnapshotAckFrame>({ kind: oneOf(['snapshot-ack']), id: integer(1), number: integer(1) })
const relay = record<RelayFrame>({ kind: oneOf(['relay']), to: replicaShape, from: lifeShape, frame: bytesShape })
const leave = record<LeaveFrame>({ kind: oneOf(['leave']) })

const ask = record<AskFrame>({ kind: oneOf(['ask']), id: countShape, request: text(0, 65_536) })
const answer = record<AnswerFrame>({
  kind: oneOf(['answer']),
  id: countShape,
  status: integer(100, 599),
  body: text(0, 65_536),
})

const orderId = text<string>(1, 128)
const order = record<OrderFrame>({
  kind: oneOf(['order']),
  id: orderId,
  group: groupShape,
  until: stampShape,
  order: bytesShape,
})
/** Packed as an answer is: the same fields. */
const ordered = record<OrderedFrame>({
  kind: oneOf(['ordered']),
  id: orderId,
  status: integer(100, 599),
  body: bytesShape,
})

const packedRaft = record<RaftFrame>({
  kind: oneOf(['raft']),
  messages: list(packedMessageShape, MOST_ITEMS),
  clock,
  applied: indexShape,
})

const frames = {
  raft,
  propose,
  pass,
  handled,
  egress,
  sent,
  unsent,
  snapshot,
  'snapshot-ack': snapshotAck,
  relay,
  leave,
}
/** In this order for ever: those of messages between replicas, Raft's, and what came later. */
function recordsOf(passed: { readonly keys: Structure }, ofRaft: readonly { readonly keys: Structure }[]) {
  const ours = [raft, clock, propose, passed, flowShape, handled, egress, origin, sent, unsent, relay]
  return [...ours, ...ofRaft, snapshot, snapshotAck, leave]
}

export const frameFormat = versioned<Frame>('frame', {
  1: coder(
    'frame',
    variants<Exclude<Frame, AskFrame | AnswerFrame | OrderFrame | OrderedFrame | PassedOnFrame>>(frames),
    recordsOf(pass, raftRecords),
    // Nobody runs applications yet, which send messages elsewhere.
    (frame) => (frame.kind === 'pass' ? { ...frame, to: null } : frame),
  ),
  2: coder(
    'frame',
    variants<Frame>({
      ...frames,
      raft: packedRaft,
      ask,
      answer,
      order,
      ordered,
      pass: aimedPass,
      'passed-on': passedOn,
    }),
    [...recordsOf(aimedPass, packedRecords), ask, answer, order, destination, passedOn],
    (frame) => (frame.kind === 'raft' ? { ...frame, messages: frame.messages.map(unpackedMessage) } : frame),
  ),
})
