// The shapes of what the log carries (entry.ts).

import type {
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
} from './entry.ts'
import { byteString, format, integer, list, oneOf, orNull, record, variants } from './shape.ts'
import { bytesShape, countShape, durationShape, groupShape, idShape, indexShape, lifeShape } from './shapes.ts'

/** Items of one list in a body: far above any call's, and few enough that applying one entry takes milliseconds. */
const MOST_ITEMS = 10_000

const tree = oneOf<Tree>([
  'ServletContext',
  'SipApplicationSession',
  'SipSession',
  'Dialog',
  'Transaction',
  'ServletTimer',
])
const version = countShape

const entityRef = record<EntityRef>({ tree, id: idShape })
const put = record<Put>({ tree, id: idShape, expected: version, bytes: bytesShape })
const deletion = record<Delete>({ tree, id: idShape, expected: version })
const deleteAction = record<Extract<TimerAction, { readonly kind: 'delete' }>>({
  kind: oneOf(['delete']),
  targets: list(entityRef, MOST_ITEMS),
})
const callbackAction = record<Extract<TimerAction, { readonly kind: 'callback' }>>({ kind: oneOf(['callback']) })
const action = variants<TimerAction>({ delete: deleteAction, callback: callbackAction })
const timer = record<TimerSet>({ id: idShape, after: durationShape, action })
const hold = record<Hold>({ counter: idShape, limit: orNull(countShape) })
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
  holds: orNull(list(hold, MOST_ITEMS)),
  opened: list(intent, MOST_ITEMS),
  done: list(idShape, MOST_ITEMS),
})
const serving = record<ServingChange>({
  kind: oneOf(['serving']),
  replaces: indexShape,
  admit: list(lifeShape, MOST_ITEMS),
  remove: list(lifeShape, MOST_ITEMS),
})
const pulse = record<Pulse>({ kind: oneOf(['pulse']), limit: integer(1, 100_000) })
const setKey = record<SetKey>({ kind: oneOf(['key']), generation: integer(1), key: byteString(16, 16) })

export const bodyFormat = format('body', 1, variants<EntryBody>({ commit, serving, pulse, key: setKey }), [
  commit,
  put,
  deletion,
  timer,
  deleteAction,
  callbackAction,
  entityRef,
  hold,
  intent,
  serving,
  pulse,
  setKey,
])
