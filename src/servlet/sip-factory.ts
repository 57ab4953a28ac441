// SipFactory (JSR 289 15.1): what begins without a message.

import { isToken } from '../sip/scan.ts'
import { addressOf, uriOf } from './address.ts'
import type { Address, SipFactory, URI } from './api.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { newLeg } from './new-leg.ts'
import { checkOwn } from './timer.ts'

export function sipFactory(turn: HandlerTurn): SipFactory {
  return {
    createRequest(session, method, from, to) {
      checkOwn(turn, session)
      if (!isToken(method) || method === 'ACK' || method === 'CANCEL') {
        throw new TypeError(`${method} does not begin a session: INVITE, MESSAGE, OPTIONS and others do`)
      }
      return newLeg(turn, { method, from: addressOf(from), to: addressOf(to) })
    },
    createURI: (uri: string): URI => uriOf(uri),
    createAddress: (address: URI | string, displayName?: string): Address => addressOf(address, displayName),
  }
}
