// A group's entities as values: what the log's bytes mean.

import { assert } from '../base/assert.ts'
import { ALIAS_SHAPE, aliasFields, readAlias } from '../session/alias.ts'
import type { Alias } from '../session/alias.ts'
import { applicationSessionFields, lastAccessFields, readApplicationSession } from '../session/application-session.ts'
import type { LastAccess, SipApplicationSession } from '../session/application-session.ts'
import { banFields, readBan } from '../session/ban.ts'
import type { Ban } from '../session/ban.ts'
import { dialogFields, readDialog } from '../session/dialog.ts'
import type { Dialog } from '../session/dialog.ts'
import { shapeOf } from '../session/fields.ts'
import { HEARD_SHAPE, heardFields, readHeard } from '../session/heard.ts'
import type { Heard } from '../session/heard.ts'
import { TOLD_SHAPE, readTold, toldFields } from '../session/told.ts'
import type { Told } from '../session/told.ts'
import { readServletTimer, servletTimerFields } from '../session/servlet-timer.ts'
import type { ServletTimer } from '../session/servlet-timer.ts'
import { LEG_SHAPE, legFields, readLeg } from '../session/leg.ts'
import type { Leg } from '../session/leg.ts'
import { readSipSession, sipSessionFields } from '../session/sip-session.ts'
import type { SipSession } from '../session/sip-session.ts'
import { readTransaction, transactionFields } from '../transaction/record.ts'
import type { TransactionRecord } from '../transaction/record.ts'
import type { Entity } from '../store/view.ts'
import type { Tree } from '../wire/entry.ts'
import type { FormatNumber } from '../wire/formats.ts'
import { pack, unpack } from '../wire/pack.ts'

export type EntityValue =
  | Alias
  | Ban
  | SipApplicationSession
  | LastAccess
  | Heard
  | Told
  | SipSession
  | Dialog
  | Leg
  | TransactionRecord
  | ServletTimer

export function treeOf(value: EntityValue): Tree {
  switch (value.kind) {
    case 'ban':
      return 'ServletContext'
    case 'alias':
    case 'application-session':
    case 'access':
    case 'heard':
    case 'told':
      return 'SipApplicationSession'
    case 'session':
      return 'SipSession'
    case 'dialog':
    case 'leg':
      return 'Dialog'
    case 'invite':
    case 'request':
    case 'bye':
    case 'own':
    case 'uas':
    case 'uac':
      return 'Transaction'
    case 'timer':
      return 'ServletTimer'
  }
}

/** As that format of a set has it. What an older one has no room for is lost to a successor of this owner. */
export function entityBytes(value: EntityValue, format: FormatNumber): Uint8Array {
  switch (value.kind) {
    case 'ban':
      return pack(banFields(value))
    case 'alias':
      return pack(aliasFields(value))
    case 'application-session':
      return pack(applicationSessionFields(value, format))
    case 'access':
      return pack(lastAccessFields())
    case 'heard':
      return pack(heardFields(value))
    case 'told':
      return pack(toldFields(value))
    case 'session':
      return pack(sipSessionFields(value, format))
    case 'dialog':
      return pack(dialogFields(value, format))
    case 'leg':
      return pack(legFields(value))
    case 'invite':
    case 'request':
    case 'bye':
    case 'own':
    case 'uas':
    case 'uac':
      return pack(transactionFields(value, format))
    case 'timer':
      return pack(servletTimerFields(value))
  }
}

/** The value of an entity that this room packed. */
export function entityValue(entity: Pick<Entity, 'tree' | 'bytes'>): EntityValue {
  const unpacked = unpack(entity.bytes)
  assert(unpacked.ok, 'an entity that can not be unpacked')
  switch (entity.tree) {
    case 'SipApplicationSession':
      return readOfApplication(unpacked.value)
    case 'SipSession':
      return readSipSession(unpacked.value)
    case 'Dialog':
      return isLeg(unpacked.value) ? readLeg(unpacked.value) : readDialog(unpacked.value)
    case 'Transaction':
      return readTransaction(unpacked.value)
    case 'ServletContext':
      return readBan(unpacked.value)
    case 'ServletTimer':
      return readServletTimer(unpacked.value)
  }
}

function isLeg(fields: unknown): boolean {
  return Array.isArray(fields) && fields[0] === LEG_SHAPE
}

function readOfApplication(value: unknown): EntityValue {
  switch (shapeOf(value)) {
    case ALIAS_SHAPE:
      return readAlias(value)
    case HEARD_SHAPE:
      return readHeard(value)
    case TOLD_SHAPE:
      return readTold(value)
    default:
      return readApplicationSession(value)
  }
}
