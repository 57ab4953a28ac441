// A dialog (RFC 3261 12) as a proxy that stays on its route sees it: both sides' tags, targets and CSeq numbers.
//
//   (1xx with a To tag) --> early --2xx--> confirmed --end of the call--> ended (a tombstone)
//                             |  BYE's final                                ^
//                             +---------------------------------------------+
//
// The tombstone stays until its INVITE transaction is gone: a repeated 2xx must not make the dialog anew (design.md 4).

import { TRANSPORTS } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'
import { asText, codeOf, nameOf, readFields } from './fields.ts'
import type { FieldReader } from './fields.ts'

type DialogState = 'early' | 'confirmed' | 'ended'
export type Side = 'caller' | 'callee'

const STATES: readonly DialogState[] = ['early', 'confirmed', 'ended']
/** In the order of their codes. */
export const SIDES: readonly Side[] = ['caller', 'callee']

/** What a dialog knows of one of its ends. */
export interface Party {
  readonly tag: string
  /** 12.2.1.1: the URI of its last Contact, committed; empty = it gave none. */
  readonly target: string
  /** The transport on its side of us, for a target that names none. */
  readonly transport: Transport
  /** The highest CSeq number committed of the requests it sent; 0 = none yet. */
  readonly cseq: number
  /** The CSeq number of its request whose 2xx set both targets last; 0 = none has since the dialog was made. */
  readonly refreshed: number
  /** The connection that it is reached by, where it can't be called back (`isBound`); empty = by its target. */
  readonly stream: string
  /** The Route values of a request of ours to it (12.2.1.1), kept only in a dialog that is watched. */
  readonly routes: readonly string[]
}

/** What of a dialog that the set may end by itself (decision 0028) its timers don't say. */
export interface Watch {
  /** The ACK for its 2xx was seen, as far as anybody asks. */
  readonly acknowledged: boolean
  /** Seconds of its session timer (RFC 4028); 0 = it has none, or nobody asks. */
  readonly expires: number
  /** The sides that were gone when they were last asked. */
  readonly doubted: readonly Side[]
}

export interface Dialog {
  readonly kind: 'dialog'
  readonly state: DialogState
  /** Id of its SipSession. */
  readonly session: string
  /** Id of the INVITE transaction that made it. */
  readonly transaction: string
  readonly callId: string
  readonly caller: Party
  readonly callee: Party
  /** null = only its phones end it. */
  readonly watch: Watch | null
}

export function otherSide(side: Side): Side {
  return side === 'caller' ? 'callee' : 'caller'
}

/** Which side sends a request with these tags in the dialog; null = it is not of this dialog. */
export function senderOf(dialog: Dialog, callId: string, fromTag: string, toTag: string): Side | null {
  if (dialog.callId !== callId) return null
  if (dialog.caller.tag === fromTag && dialog.callee.tag === toTag) return 'caller'
  if (dialog.callee.tag === fromTag && dialog.caller.tag === toTag) return 'callee'
  return null
}

/** The dialog with `side` changed: its target, the high-water mark of CSeq, which never falls, and the connection that it came back on. */
export function withParty(
  dialog: Dialog,
  side: Side,
  change: { readonly target?: string; readonly cseq?: number; readonly stream?: string },
): Dialog {
  const party = dialog[side]
  const target = change.target ?? party.target
  const cseq = Math.max(party.cseq, change.cseq ?? 0)
  const stream = change.stream ?? party.stream
  if (target === party.target && cseq === party.cseq && stream === party.stream) return dialog
  return { ...dialog, [side]: { ...party, target, cseq, stream } }
}

/** 12.2.1.2, 12.2.2: both targets as a 2xx to the request `cseq` of `sender` sets them; a null says none. Null = it sets none: one to the same
 * request or a later one of that side did so before, and this one was late, or comes again. */
export function refreshedBy(
  dialog: Dialog,
  sender: Side,
  cseq: number,
  targets: { readonly asked: string | null; readonly answered: string | null },
): Dialog | null {
  if (cseq <= dialog[sender].refreshed) return null
  const other = otherSide(sender)
  const [own, far] = [dialog[sender], dialog[other]]
  return {
    ...dialog,
    [sender]: { ...own, target: targets.asked ?? own.target, refreshed: cseq },
    [other]: { ...far, target: targets.answered ?? far.target },
  }
}

export function enterConfirmedDialog(dialog: Dialog): Dialog {
  return dialog.state === 'early' ? { ...dialog, state: 'confirmed' } : dialog
}

export function enterEnded(dialog: Dialog): Dialog {
  return dialog.state === 'ended' ? dialog : { ...dialog, state: 'ended' }
}

/** `watched` is of format 2. */
const DIALOG_SHAPES = { plain: 1, watched: 2 } as const
/** All but `party` are of format 2; format 1 has no room for a connection, nor for routes, nor for what refreshed the targets last. */
const PARTY_SHAPES = { party: 1, boundParty: 2, routedParty: 3, refreshedParty: 4 } as const

/** As that format of a set has it. */
export function dialogFields(dialog: Dialog, format: number): readonly unknown[] {
  const { state, session, transaction, callId, caller, callee } = dialog
  const parties = [partyFields(caller, format), partyFields(callee, format)]
  const fields = [codeOf(STATES, state), session, transaction, callId, ...parties]
  const watch = format === 1 ? null : dialog.watch
  if (watch === null) return [DIALOG_SHAPES.plain, ...fields]
  const doubted = watch.doubted.map((side) => codeOf(SIDES, side))
  return [DIALOG_SHAPES.watched, ...fields, watch.acknowledged ? 1 : 0, watch.expires, doubted]
}

export function readDialog(value: unknown): Dialog {
  const isWatched = Array.isArray(value) && value[0] === DIALOG_SHAPES.watched
  const fields = readFields(value, isWatched ? DIALOG_SHAPES.watched : DIALOG_SHAPES.plain)
  return {
    kind: 'dialog',
    state: nameOf(STATES, fields.number()),
    session: fields.text(),
    transaction: fields.text(),
    callId: fields.text(),
    caller: readParty(fields.list()),
    callee: readParty(fields.list()),
    watch: isWatched ? readWatch(fields) : null,
  }
}

function readWatch(fields: FieldReader): Watch {
  return {
    acknowledged: fields.flag(),
    expires: fields.number(),
    doubted: fields.list().map((code) => nameOf(SIDES, code as number)),
  }
}

function partyFields(party: Party, format: number): readonly unknown[] {
  const { tag, target, transport, cseq, stream, routes, refreshed } = party
  const fields = [tag, target, codeOf(TRANSPORTS, transport), cseq]
  if (format === 1) return [PARTY_SHAPES.party, ...fields]
  if (refreshed > 0) return [PARTY_SHAPES.refreshedParty, ...fields, stream, routes, refreshed]
  if (routes.length > 0) return [PARTY_SHAPES.routedParty, ...fields, stream, routes]
  return stream === '' ? [PARTY_SHAPES.party, ...fields] : [PARTY_SHAPES.boundParty, ...fields, stream]
}

const LONGER_SHAPES = [PARTY_SHAPES.boundParty, PARTY_SHAPES.routedParty, PARTY_SHAPES.refreshedParty]

function readParty(value: readonly unknown[]): Party {
  const shape = LONGER_SHAPES.find((one) => one === value[0]) ?? PARTY_SHAPES.party
  const fields = readFields(value, shape)
  return {
    tag: fields.text(),
    target: fields.text(),
    transport: nameOf(TRANSPORTS, fields.number()),
    cseq: fields.number(),
    stream: shape >= PARTY_SHAPES.boundParty ? fields.text() : '',
    routes: shape >= PARTY_SHAPES.routedParty ? fields.list().map(asText) : [],
    refreshed: shape === PARTY_SHAPES.refreshedParty ? fields.number() : 0,
  }
}
