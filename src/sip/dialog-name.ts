// The dialog that an INVITE names: the one that it is to replace (RFC 3891), or to join (RFC 3911).
//
//   Replaces: 98732@example.com;from-tag=r33th4x0r;to-tag=ff87ff

import { readParams } from './params.ts'
import { values } from './message.ts'
import type { SipMessage } from './message.ts'

export interface DialogName {
  readonly callId: string
  /** Of whoever gets the request, and of the other end. */
  readonly toTag: string
  readonly fromTag: string
}

/** null = it names none, or more than one, which is none (RFC 3891 3), or can't be read. */
export function namedDialog(message: SipMessage, header: 'Replaces' | 'Join'): DialogName | null {
  const [value, ...more] = values(message, header)
  if (value === undefined || more.length > 0) return null
  const end = value.indexOf(';')
  const params = new Map<string, string | null>()
  if (end <= 0 || !readParams(value, end, value.length, params)) return null
  const [toTag, fromTag] = [params.get('to-tag') ?? '', params.get('from-tag') ?? '']
  return toTag === '' || fromTag === '' ? null : { callId: value.slice(0, end).trim(), toTag, fromTag }
}
