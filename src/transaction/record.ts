// What the log keeps of transactions (tree Transaction). An INVITE is two kinds of entity: `invite`, small, put again with
// each change of state, and one `request` for each client branch, the forwarded bytes, put once for each attempt. A BYE that
// ended a dialog is kept with its final answer, so that a repeated BYE gets the same bytes at any owner; a BYE of our own while it
// has none. An application's requests, and those that it answers, are `uac` and `uas`.

import { micros } from '../base/instant.ts'
import type { Duration } from '../base/instant.ts'
import { codeOf, nameOf, readFields } from '../session/fields.ts'
import type { FieldReader } from '../session/fields.ts'
import type { FormatNumber } from '../wire/formats.ts'
import { SIDES } from '../session/dialog.ts'
import type { Side } from '../session/dialog.ts'
import { TRANSPORTS } from '../sip/transport.ts'
import type { Flow } from '../wire/entry.ts'

type ServerState = 'proceeding' | 'accepted' | 'completed'
/** `waiting`: its turn hasn't come (serial forking). */
export type BranchState = 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated' | 'waiting'

/** A client transaction of the INVITE: one target, one attempt at it. */
export interface Branch {
  /** Id of its `request` entity. */
  readonly id: string
  /** Which target, from 1, and which attempt at it, from 1: both are in the branch parameter's hash (design.md 4). */
  readonly ordinal: number
  readonly attempt: number
  /** Which group of targets, from 1: a group is tried when the one before has failed (16.6). */
  readonly rank: number
  /** Our Via's branch parameter. */
  readonly branch: string
  readonly hop: Flow
  readonly state: BranchState
  /** The ACK for its failure. Invariant: not null exactly when completed. */
  readonly ack: string | null
  /** The CANCEL, once decided, until the branch's final answer. */
  readonly cancel: string | null
  /** What it would send upstream, or has sent besides `final`: its failure until the best one is chosen (16.7 step 6); a 2xx that
   * came after another branch's, kept as `final` is. */
  readonly answer: string | null
}

export interface InviteRecord {
  readonly kind: 'invite'
  /** Its upstream identity, 17.2.3: sent-by and branch. */
  readonly key: string
  /** Where its responses go. */
  readonly upstream: Flow
  readonly state: ServerState
  /** Which side sent it. */
  readonly from: Side
  readonly cseq: number
  /** Id of the SipSession it opened or belongs to; empty = in a dialog we don't know. */
  readonly session: string
  /** Id of the dialog it was sent in; empty = it opens one. */
  readonly dialog: string
  /** Whether a CANCEL for it was accepted. */
  readonly cancelled: boolean
  /** The 200 for that CANCEL, if it came on a stream: nobody sends it again there, should its answer be lost with us. */
  readonly cancelAnswer: string | null
  /** The newest provisional over 100 that went upstream on a stream, where neither side says it again. Invariant: null unless proceeding. */
  readonly provisional: string | null
  /** What went upstream. Invariant: null while proceeding; when accepted, null if both sides are on UDP. */
  readonly final: string | null
  readonly branches: readonly Branch[]
  /** What its application asks of it; null = it goes by the set's own rules. */
  readonly rules: ProxyRules | null
}

/** JSR 289 10: of an INVITE that an application proxies. */
export interface ProxyRules {
  /** Whether the contacts of a 3xx are called. */
  readonly isRecursive: boolean
  /** How long each group of targets may ring; null = as long as timer C lets it. */
  readonly patience: Duration | null
}

interface RequestRecord {
  readonly kind: 'request'
  /** The INVITE as we forwarded it. */
  readonly text: string
}

export interface ByeRecord {
  readonly kind: 'bye'
  readonly key: string
  readonly upstream: Flow
  readonly dialog: string
  readonly final: string
}

/** A BYE of our own in a dialog (decision 0028), until its client transaction ends. Its intent is open just as long. */
export interface OwnRecord {
  readonly kind: 'own'
  /** Id of the dialog that it ends, and which side it goes to. */
  readonly dialog: string
  readonly to: Side
  /** From 1; the second one has another CSeq number. */
  readonly attempt: number
  readonly branch: string
  readonly hop: Flow
  readonly text: string
}

/** A request of the other end of a leg (session/leg.ts), which an application answers. Its bytes are the `request` entity of
 * `requestOf(id)`. */
export interface UasRecord {
  readonly kind: 'uas'
  /** Its upstream identity, 17.2.3. */
  readonly key: string
  readonly method: string
  /** Id of the leg's SipSession. */
  readonly session: string
  readonly cseq: number
  /** Where its responses go. */
  readonly upstream: Flow
  /** `accepted`: an INVITE whose 2xx is repeated until its ACK (13.3.1.4); `acknowledged`: no more. */
  readonly state: UasState
  /** The 200 for its CANCEL, as `InviteRecord` has it. */
  readonly cancelAnswer: string | null
  /** Our newest provisional over 100, or our final. */
  readonly answer: string | null
  /** RFC 3262: RSeq of our newest reliable provisional; 0 = there was none, negative = its PRACK came. While it is positive, that is `answer`,
   * and is repeated. */
  readonly rseq: number
}

/** A request of ours in a leg, or the one that began it. Its bytes are the `request` entity of `requestOf(id)`. */
export interface UacRecord {
  readonly kind: 'uac'
  readonly method: string
  /** Id of the leg's SipSession. */
  readonly session: string
  /** Whether it began the leg. */
  readonly isInitial: boolean
  readonly cseq: number
  readonly branch: string
  readonly hop: Flow
  /** `waiting`: a BYE that may not go before the ACK (15). Non-INVITE requests are `calling` until a final comes. */
  readonly state: BranchState
  /** The ACK for its failure, as in `Branch`, and the CANCEL. */
  readonly ack: string | null
  readonly cancel: string | null
  /** A final of our own making (408, 503) that the application is to hear of; of a `completed` INVITE the first line of its failure. */
  readonly answer: string | null
  /** The other end's request that an application sent it for, on another leg; empty = none. */
  readonly linked: string
}

export type UasState = 'open' | 'accepted' | 'acknowledged' | 'completed'

/** Where the bytes of a `uas` or `uac` request are. */
export function requestOf(id: string): string {
  return `${id}.1`
}

/** Of `SIP/2.0 200 OK`. */
export function statusOfText(text: string): number {
  return Number(text.slice('SIP/2.0 '.length, 'SIP/2.0 '.length + 3))
}

export type TransactionRecord = InviteRecord | RequestRecord | ByeRecord | OwnRecord | UasRecord | UacRecord

/** `invite` is of format 2, with what its application asks of it `ruled`; `firstInvite` of format 1, which has no room for the answer to a CANCEL. Nor has that any room for
 * `own`, `uas` and `uac`: at format 1 there are none. */
const SHAPES = {
  firstInvite: 1,
  request: 2,
  bye: 3,
  invite: 4,
  own: 5,
  uas: 6,
  uac: 7,
  ruled: 8,
  reliableUas: 9,
} as const
const UAS_STATES: readonly UasState[] = ['open', 'accepted', 'acknowledged', 'completed']
const SERVER_STATES: readonly ServerState[] = ['proceeding', 'accepted', 'completed']
const BRANCH_STATES: readonly BranchState[] = [
  'calling',
  'proceeding',
  'accepted',
  'completed',
  'terminated',
  'waiting',
]
/** `lone` is a branch that is its INVITE's only one, or in nothing different; format 1 knows no other. */
const BRANCH_SHAPES = { lone: 1, forked: 2 } as const

/** As that format of a set has it. */
export function transactionFields(record: TransactionRecord, format: FormatNumber): readonly unknown[] {
  switch (record.kind) {
    case 'invite':
      return [
        inviteShape(record, format),
        record.key,
        flowFields(record.upstream),
        codeOf(SERVER_STATES, record.state),
        codeOf(SIDES, record.from),
        record.cseq,
        record.session,
        record.dialog,
        record.cancelled ? 1 : 0,
        ...(format === 1 ? [] : [record.cancelAnswer]),
        // One place for what went upstream: a release before `provisional` leaves it alone while the state is proceeding.
        record.provisional ?? record.final,
        record.branches.map((branch) => branchFields(branch, format)),
        ...(format === 1 || record.rules === null ? [] : rulesFields(record.rules)),
      ]
    case 'request':
      return [SHAPES.request, record.text]
    case 'bye':
      return [SHAPES.bye, record.key, flowFields(record.upstream), record.dialog, record.final]
    case 'own': {
      const { dialog, to, attempt, branch, hop, text } = record
      return [SHAPES.own, dialog, codeOf(SIDES, to), attempt, branch, flowFields(hop), text]
    }
    case 'uas': {
      const { key, method, session, cseq, upstream, state, cancelAnswer, answer, rseq } = record
      return [
        rseq === 0 ? SHAPES.uas : SHAPES.reliableUas,
        key,
        method,
        session,
        cseq,
        flowFields(upstream),
        codeOf(UAS_STATES, state),
        cancelAnswer,
        answer,
        ...(rseq === 0 ? [] : [rseq]),
      ]
    }
    case 'uac': {
      const { method, session, isInitial, cseq, branch, hop, state, ack, cancel, answer, linked } = record
      const fields = [method, session, isInitial ? 1 : 0, cseq, branch, flowFields(hop), codeOf(BRANCH_STATES, state)]
      return [SHAPES.uac, ...fields, ack, cancel, answer, linked]
    }
  }
}

export function readTransaction(value: unknown): TransactionRecord {
  const shape = Array.isArray(value) ? (value[0] as unknown) : null
  if (shape === SHAPES.request) return { kind: 'request', text: readFields(value, SHAPES.request).text() }
  if (shape === SHAPES.bye) {
    const fields = readFields(value, SHAPES.bye)
    return {
      kind: 'bye',
      key: fields.text(),
      upstream: readFlow(fields.list()),
      dialog: fields.text(),
      final: fields.text(),
    }
  }
  if (shape === SHAPES.own) {
    const fields = readFields(value, SHAPES.own)
    return {
      kind: 'own',
      dialog: fields.text(),
      to: nameOf(SIDES, fields.number()),
      attempt: fields.number(),
      branch: fields.text(),
      hop: readFlow(fields.list()),
      text: fields.text(),
    }
  }
  if (shape === SHAPES.uas || shape === SHAPES.reliableUas) return readUas(value, shape)
  if (shape === SHAPES.uac) return readUac(value)
  const isFirst = shape === SHAPES.firstInvite
  const isRuled = shape === SHAPES.ruled
  const fields = readFields(value, isFirst ? SHAPES.firstInvite : isRuled ? SHAPES.ruled : SHAPES.invite)
  const { went, ...record } = {
    kind: 'invite' as const,
    key: fields.text(),
    upstream: readFlow(fields.list()),
    state: nameOf(SERVER_STATES, fields.number()),
    from: nameOf(SIDES, fields.number()),
    cseq: fields.number(),
    session: fields.text(),
    dialog: fields.text(),
    cancelled: fields.flag(),
    cancelAnswer: isFirst ? null : fields.textOrNull(),
    went: fields.textOrNull(),
    branches: fields.list().map(readBranch),
    rules: isRuled ? readRules(fields) : null,
  }
  const isOpen = record.state === 'proceeding'
  return { ...record, provisional: isOpen ? went : null, final: isOpen ? null : went }
}

function inviteShape({ rules }: InviteRecord, format: FormatNumber): number {
  if (format === 1) return SHAPES.firstInvite
  return rules === null ? SHAPES.invite : SHAPES.ruled
}

function rulesFields({ isRecursive, patience }: ProxyRules): readonly unknown[] {
  return [isRecursive ? 1 : 0, patience ?? -1]
}

function readRules(fields: FieldReader): ProxyRules {
  const isRecursive = fields.flag()
  const patience = fields.number()
  return { isRecursive, patience: patience < 0 ? null : micros(patience) }
}

function readUas(value: unknown, shape: number): UasRecord {
  const fields = readFields(value, shape)
  return {
    kind: 'uas',
    key: fields.text(),
    method: fields.text(),
    session: fields.text(),
    cseq: fields.number(),
    upstream: readFlow(fields.list()),
    state: nameOf(UAS_STATES, fields.number()),
    cancelAnswer: fields.textOrNull(),
    answer: fields.textOrNull(),
    rseq: shape === SHAPES.uas ? 0 : fields.number(),
  }
}

function readUac(value: unknown): UacRecord {
  const fields = readFields(value, SHAPES.uac)
  return {
    kind: 'uac',
    method: fields.text(),
    session: fields.text(),
    isInitial: fields.flag(),
    cseq: fields.number(),
    branch: fields.text(),
    hop: readFlow(fields.list()),
    state: nameOf(BRANCH_STATES, fields.number()),
    ack: fields.textOrNull(),
    cancel: fields.textOrNull(),
    answer: fields.textOrNull(),
    linked: fields.text(),
  }
}

function branchFields(branch: Branch, format: FormatNumber): readonly unknown[] {
  const { id, ordinal, attempt, hop, state, ack, cancel, rank, answer } = branch
  const isLone = format === 1 || (rank === 1 && answer === null)
  const shape = isLone ? BRANCH_SHAPES.lone : BRANCH_SHAPES.forked
  const fields = [
    shape,
    id,
    ordinal,
    attempt,
    branch.branch,
    flowFields(hop),
    codeOf(BRANCH_STATES, state),
    ack,
    cancel,
  ]
  return isLone ? fields : [...fields, rank, answer]
}

function readBranch(value: unknown): Branch {
  const isForked = Array.isArray(value) && value[0] === BRANCH_SHAPES.forked
  const fields = readFields(value, isForked ? BRANCH_SHAPES.forked : BRANCH_SHAPES.lone)
  return {
    id: fields.text(),
    ordinal: fields.number(),
    attempt: fields.number(),
    branch: fields.text(),
    hop: readFlow(fields.list()),
    state: nameOf(BRANCH_STATES, fields.number()),
    ack: fields.textOrNull(),
    cancel: fields.textOrNull(),
    rank: isForked ? fields.number() : 1,
    answer: isForked ? fields.textOrNull() : null,
  }
}

function flowFields(flow: Flow): readonly unknown[] {
  return [1, codeOf(TRANSPORTS, flow.transport), flow.host, flow.port, flow.stream]
}

function readFlow(value: unknown): Flow {
  const fields = readFields(value, 1)
  return {
    transport: nameOf(TRANSPORTS, fields.number()),
    host: fields.text(),
    port: fields.number(),
    stream: fields.text(),
  }
}
