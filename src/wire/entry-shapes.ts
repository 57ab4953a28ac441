// The shapes of what the log carries (entry.ts).

import { MOST_PLACE } from '../base/brand.ts'
import type {
  Audit,
  BookChange,
  BookRow,
  Commit,
  Delete,
  EntryBody,
  EntityRef,
  Hold,
  Intent,
  Pulse,
  Put,
  ServingChange,
  SetKey,
  TimerAction,
  TimerSet,
  Tree,
  Raise,
} from './entry.ts'
import { byteString, coder, flag, integer, list, oneOf, orNull, record, text, variants } from './shape.ts'
import {
  bytesShape,
  countShape,
  durationShape,
  groupShape,
  hashShape,
  idShape,
  indexShape,
  lifeShape,
} from './shapes.ts'
import { versioned } from './versioned.ts'

/** Items of one list in a body: far above any call's, and few enough that applying one entry takes milliseconds. */
const MOST_ITEMS = 10_000

export const treeShape = oneOf<Tree>([
  'ServletContext',
  'SipApplicationSession',
  'SipSession',
  'Dialog',
  'Transaction',
  'ServletTimer',
])
const version = countShape

export const entityRefShape = record<EntityRef>({ tree: treeShape, id: idShape })
const put = record<Put>({ tree: treeShape, id: idShape, expected: version, bytes: bytesShape })
const deletion = record<Delete>({ tree: treeShape, id: idShape, expected: version })
export const deleteActionShape = record<Extract<TimerAction, { readonly kind: 'delete' }>>({
  kind: oneOf(['delete']),
  targets: list(entityRefShape, MOST_ITEMS),
})
export const callbackActionShape = record<Extract<TimerAction, { readonly kind: 'callback' }>>({
  kind: oneOf(['callback']),
})
export const actionShape = variants<TimerAction>({ delete: deleteActionShape, callback: callbackActionShape })
const timer = record<TimerSet>({ id: idShape, after: durationShape, action: actionShape })
export const holdShape = record<Hold>({ counter: idShape, limit: orNull(countShape) })
const intent = record<Intent>({ id: idShape, bytes: bytesShape })

const commit = record<Commit>({
  kind: oneOf(['commit']),
  group: groupShape,
  expected: version,
  proposer: lifeShape,
  since: indexShape,
  judged: indexShape,
  serial: integer(1),
  lowestOpen: integer(1),
  onto: countShape,
  puts: list(put, MOST_ITEMS),
  deletes: list(deletion, MOST_ITEMS),
  timers: list(timer, MOST_ITEMS),
  cancels: list(idShape, MOST_ITEMS),
  holds: orNull(list(holdShape, MOST_ITEMS)),
  opened: list(intent, MOST_ITEMS),
  done: list(idShape, MOST_ITEMS),
})
const serving = record<ServingChange>({
  kind: oneOf(['serving']),
  replaces: indexShape,
  admit: list(lifeShape, MOST_ITEMS),
  remove: list(lifeShape, MOST_ITEMS),
})
const firstPulse = record<Omit<Pulse, 'audit'>>({ kind: oneOf(['pulse']), limit: integer(1, 100_000) })
const audit = record<Audit>({ index: indexShape, hash: hashShape })
const pulse = record<Pulse>({ kind: oneOf(['pulse']), limit: integer(1, 100_000), audit: orNull(audit) })
const setKey = record<SetKey>({ kind: oneOf(['key']), generation: integer(1), key: byteString(16, 16) })

/** A generation is part of an id. */
const generation = (least: number) => integer<number>(least, 999_998)
const address = text<string>(0, 255)
export const bookRowShape = record<BookRow>({
  place: integer(1, MOST_PLACE),
  generation: generation(0),
  incarnation: text(0, 64),
  gone: generation(-1),
  wanted: flag,
  awaited: flag,
  peer: address,
  admin: address,
})
const book = record<BookChange>({ kind: oneOf(['book']), replaces: indexShape, rows: list(bookRowShape, MOST_PLACE) })

/** A raise has no shape: codec.ts writes it, the same in all formats. */
export type ShapedBody = Exclude<EntryBody, Raise>

const bodies = { commit, serving, key: setKey }
const records = [
  commit,
  put,
  deletion,
  timer,
  deleteActionShape,
  callbackActionShape,
  entityRefShape,
  holdShape,
  intent,
  serving,
]
const first = variants<Exclude<ShapedBody, BookChange>>({ ...bodies, pulse: firstPulse })
const second = variants<ShapedBody>({ ...bodies, pulse, book })

export const bodyFormat = versioned<ShapedBody>('body', {
  1: coder('body', first, [...records, firstPulse, setKey], (body) =>
    body.kind === 'pulse' ? { ...body, audit: null } : body,
  ),
  2: coder('body', second, [...records, pulse, setKey, audit, book, bookRowShape]),
})
