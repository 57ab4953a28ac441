// An order on its way from the replica that was asked to the owner of its group, as bytes in a frame.

import type { Order, OrderAnswer } from '../app/orders.ts'
import { orderFault } from '../app/order-shapes.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { BanAnswer, BanRequest } from '../wire/member-request.ts'
import { banFault } from '../wire/member-shapes.ts'
import { pack, unpack } from '../wire/pack.ts'
import { limits } from './limits.ts'

/** What may be asked of a group. */
export type GroupOrder =
  | { readonly kind: 'ban'; readonly request: BanRequest }
  | { readonly kind: 'app'; readonly order: Order }

/** Of `ban` a BanAnswer, of `app` an OrderAnswer; the status as HTTP has them. */
export interface GroupAnswer {
  readonly status: number
  readonly body: BanAnswer | OrderAnswer
}

/** Why it is none that could be sent is the asker's fault. */
export function packOrder(order: GroupOrder): Result<Uint8Array, string> {
  const fault = faultOf(order)
  if (fault !== null) return err(fault)
  try {
    const bytes = pack(order)
    if (bytes.length > limits.orderBytes) return err(`limit: an order has at most ${limits.orderBytes} bytes`)
    const read = unpackOrder(bytes)
    return read.ok ? ok(bytes) : read
  } catch {
    return err('IllegalArgument: the order has something that only this process knows, or no end')
  }
}

export function unpackOrder(bytes: Uint8Array): Result<GroupOrder, string> {
  const read = unpack(bytes)
  if (!read.ok) return read
  const fault = faultOf(read.value)
  return fault === null ? ok(read.value as GroupOrder) : err(fault)
}

function faultOf(value: unknown): string | null {
  const order = (value ?? {}) as Partial<GroupOrder>
  if (order.kind === 'ban') return banFault(order.request)
  return order.kind === 'app' ? orderFault(order.order) : 'IllegalArgument: nothing of that kind can be ordered'
}

export function packAnswer({ body }: GroupAnswer): Uint8Array {
  return pack(body)
}

/** What a peer says that this one can't read says nothing. */
export function unpackAnswer(bytes: Uint8Array): GroupAnswer['body'] | null {
  const read = unpack(bytes)
  const isOne = read.ok && typeof read.value === 'object' && read.value !== null
  return isOne ? (read.value as GroupAnswer['body']) : null
}
