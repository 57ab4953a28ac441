// What each phone sent, so that what the other one receives can be compared: the far phone is the only right source of a
// relayed message. By both tags, since a fork has several callees.

import type { Side } from '../ladder.ts'
import { cseqOf, tagOf } from '../phones/message.ts'
import type { Message, RequestMessage, ResponseMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'

export class Ledger {
  readonly #requests = new Map<string, RequestMessage>()
  readonly #responses = new Map<string, ResponseMessage>()
  /** Who said them. */
  readonly #byes = new Map<string, Phone>()

  add(phone: Phone, message: Message): void {
    if (message.kind === 'request' && message.method === 'BYE') {
      this.#byes.set(byeKey(phone, phone.side, tagOf(message, 'from'), tagOf(message, 'to')), phone)
    }
    if (message.kind === 'request') this.#requests.set(requestKey(phone, phone.side, message), message)
    else this.#responses.set(responseKey(phone, phone.side, message), message)
  }

  /** What the far phone sent for the request that `phone` received; undefined = it never did. */
  request(phone: Phone, received: RequestMessage): RequestMessage | undefined {
    return this.#requests.get(requestKey(phone, farSide(phone), received))
  }

  response(phone: Phone, received: ResponseMessage): ResponseMessage | undefined {
    return this.#responses.get(responseKey(phone, farSide(phone), received))
  }

  /** The far phone, if it has hung up by itself, in the dialog of this response to `phone`. */
  farHungUp(phone: Phone, received: ResponseMessage): Phone | undefined {
    return this.#byes.get(byeKey(phone, farSide(phone), tagOf(received, 'to'), tagOf(received, 'from')))
  }

  /** What `phone` itself sent and this response answers. */
  own(phone: Phone, received: ResponseMessage): RequestMessage | undefined {
    const { method } = cseqOf(received)
    const about = (to: string | null): string => keyOf(phone, phone.side, received, method, to)
    return this.#requests.get(about(tagOf(received, 'to'))) ?? this.#requests.get(about(null))
  }
}

function requestKey(phone: Phone, side: Side, message: RequestMessage): string {
  return keyOf(phone, side, message, message.method, tagOf(message, 'to'))
}

function responseKey(phone: Phone, side: Side, message: ResponseMessage): string {
  const about = `${message.status} ${cseqOf(message).method}`
  return keyOf(phone, side, message, about, tagOf(message, 'to'))
}

function keyOf(phone: Phone, side: Side, message: Message, about: string, to: string | null): string {
  return `${phone.options.call} ${side} ${tagOf(message, 'from')} ${to} ${about} ${cseqOf(message).number}`
}

function byeKey(phone: Phone, side: Side, from: string | null, to: string | null): string {
  return `${phone.options.call} ${side} ${from} ${to}`
}

function farSide(phone: Phone): Side {
  return phone.side === 'caller' ? 'callee' : 'caller'
}
