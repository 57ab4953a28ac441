// What each phone sent, so that what the other one receives can be compared: the far phone is the only right source of a
// relayed message.

import type { Side } from '../ladder.ts'
import { cseqOf } from '../phones/message.ts'
import type { Message, RequestMessage, ResponseMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'

export class Ledger {
  readonly #requests = new Map<string, RequestMessage>()
  readonly #responses = new Map<string, ResponseMessage>()

  add(phone: Phone, message: Message): void {
    const { call, side } = phone.options
    const { number, method } = cseqOf(message)
    if (message.kind === 'request') this.#requests.set(`${call} ${side} ${message.method} ${number}`, message)
    else this.#responses.set(`${call} ${side} ${message.status} ${method} ${number}`, message)
  }

  /** What the far phone sent for the request that `phone` received; undefined = it never did. */
  request(phone: Phone, received: RequestMessage): RequestMessage | undefined {
    const { call } = phone.options
    return this.#requests.get(`${call} ${farSide(phone)} ${received.method} ${cseqOf(received).number}`)
  }

  response(phone: Phone, received: ResponseMessage): ResponseMessage | undefined {
    const { call } = phone.options
    const { number, method } = cseqOf(received)
    return this.#responses.get(`${call} ${farSide(phone)} ${received.status} ${method} ${number}`)
  }

  /** What `phone` itself sent and this response answers. */
  own(phone: Phone, received: ResponseMessage): RequestMessage | undefined {
    const { call, side } = phone.options
    const { number, method } = cseqOf(received)
    return this.#requests.get(`${call} ${side} ${method} ${number}`)
  }
}

function farSide(phone: Phone): Side {
  return phone.side === 'caller' ? 'callee' : 'caller'
}
