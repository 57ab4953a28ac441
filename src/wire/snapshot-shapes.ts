// The shapes of a snapshot's parts (snapshot.ts).

import { MOST_PLACE } from '../base/brand.ts'
import {
  actionShape,
  bookRowShape,
  deleteActionShape,
  callbackActionShape,
  entityRefShape,
  holdShape,
  treeShape,
} from './entry-shapes.ts'
import { byteString, coder, integer, list, oneOf, record, text, variants } from './shape.ts'
import { bytesShape, countShape, groupShape, hashShape, idShape, indexShape, lifeShape, stampShape } from './shapes.ts'
import { versioned } from './versioned.ts'
import type {
  KeptEvents,
  SnapshotBook,
  SnapshotEnd,
  SnapshotEntity,
  SnapshotEvents,
  SnapshotGroup,
  SnapshotHead,
  SnapshotPart,
  SnapshotSerials,
  SnapshotServing,
} from './snapshot.ts'

/** Items of one list: above what a store can come to (a window of serials is 65,536). */
const MOST_ITEMS = 100_000

const member = record<SnapshotServing['members'][number]>({ life: lifeShape, since: indexShape })
const serving = record<SnapshotServing>({ version: indexShape, members: list(member, MOST_ITEMS) })
const serials = record<SnapshotSerials>({
  life: lifeShape,
  lowest: integer(1),
  consumed: list(integer<number>(1), MOST_ITEMS),
})
const fields = {
  kind: oneOf<'head'>(['head']),
  index: indexShape,
  stamp: stampShape,
  fired: countShape,
  keys: list(byteString(16, 16), MOST_ITEMS),
  history: list(serving, MOST_ITEMS),
  serials: list(serials, MOST_ITEMS),
}
const firstHead = record<Omit<SnapshotHead, 'format' | 'keysSince'>>(fields)
const head = record<SnapshotHead>({ ...fields, keysSince: list(stampShape, MOST_ITEMS), format: integer(1) })
const book = record<SnapshotBook>({ kind: oneOf(['book']), version: indexShape, rows: list(bookRowShape, MOST_PLACE) })
/** An event names what came in a message: its URIs, its Call-ID. */
const kept = record<KeptEvents>({ index: indexShape, texts: list(text(2, 1_048_576), MOST_ITEMS) })
const events = record<SnapshotEvents>({
  kind: oneOf(['events']),
  after: indexShape,
  told: countShape,
  items: list(kept, MOST_ITEMS),
})
const entity = record<SnapshotEntity>({
  tree: treeShape,
  id: idShape,
  version: integer(1),
  stamp: stampShape,
  bytes: bytesShape,
})
const timer = record<SnapshotGroup['timers'][number]>({ id: idShape, deadline: stampShape, action: actionShape })
const intent = record<SnapshotGroup['intents'][number]>({ id: idShape, bytes: bytesShape, opened: indexShape })
const group = record<SnapshotGroup>({
  kind: oneOf(['group']),
  key: groupShape,
  version: integer(1),
  by: lifeShape,
  serial: integer(1),
  entities: list(entity, MOST_ITEMS),
  timers: list(timer, MOST_ITEMS),
  intents: list(intent, MOST_ITEMS),
  holds: list(holdShape, MOST_ITEMS),
})
const end = record<SnapshotEnd>({
  kind: oneOf(['end']),
  groups: countShape,
  hash: hashShape,
})

const records = [
  serving,
  member,
  serials,
  group,
  entity,
  timer,
  deleteActionShape,
  callbackActionShape,
  entityRefShape,
  intent,
  holdShape,
  end,
]

export const snapshotFormat = versioned<SnapshotPart>('snapshot', {
  1: coder(
    'snapshot',
    variants<Exclude<SnapshotPart, SnapshotBook | SnapshotEvents>>({ head: firstHead, group, end }),
    [firstHead, ...records],
    (part) => (part.kind === 'head' ? { ...part, keysSince: [], format: 1 } : part),
  ),
  2: coder('snapshot', variants<SnapshotPart>({ head, book, events, group, end }), [
    head,
    ...records,
    book,
    bookRowShape,
    events,
    kept,
  ]),
})
