// Where the messages of a Call-ID go that carry no key of ours, when they are another group's than its own (decision 0035): a request
// that was found to be for a session elsewhere, by an application's key (JSR 289 15.11.2), Join or Replaces. It is in the Call-ID's own
// group, so that whoever owns that says the same of what comes later: the INVITE again, its CANCEL, the ACK for a failure.

import { groupKey } from '../base/brand.ts'
import type { GroupKey } from '../base/brand.ts'
import { readFields } from './fields.ts'

export interface Alias {
  readonly kind: 'alias'
  readonly group: GroupKey
  /** The application, and its key, whose group that is; '' = others led there. */
  readonly application: string
  readonly key: string
  /** What the application router said, packed; empty = nobody was asked. */
  readonly chain: Uint8Array
  /** When its owner looked last, that group was not there. */
  readonly isDoubted: boolean
}

/** Its id: a group has one at most. */
export const ALIAS = 'alias'
/** Of format 2. Other entities of its tree have other shapes. */
export const ALIAS_SHAPE = 30

export function aliasFields({ group, application, key, chain, isDoubted }: Alias): readonly unknown[] {
  return [ALIAS_SHAPE, group, application, key, chain, isDoubted ? 1 : 0]
}

export function readAlias(value: unknown): Alias {
  const fields = readFields(value, ALIAS_SHAPE)
  const group = groupKey(fields.text())
  const [application, key] = [fields.text(), fields.text()]
  return { kind: 'alias', group, application, key, chain: fields.bytes(), isDoubted: fields.flag() }
}
