// What an order must look like: it comes from an application's process, or from another replica.

import { flag, list, oneOf, orNull, record, text, variants } from '../wire/shape.ts'
import { indexShape } from '../wire/shapes.ts'
import type { Op } from './contract.ts'
import { appLimits } from './limits.ts'
import { operationShape } from './op-shapes.ts'
import type { Lookup, Order, OrderTarget, Target } from './orders.ts'
import { packValue } from './packed.ts'

/** Above any id that a set makes. */
const MOST_ID = 100

const name = text<string>(1, appLimits.name)

const target = variants<OrderTarget>({
  id: record<Extract<OrderTarget, { kind: 'id' }>>({ kind: oneOf(['id']), id: text(1, MOST_ID) }),
  key: record<Extract<OrderTarget, { kind: 'key' }>>({ kind: oneOf(['key']), key: name, create: flag }),
  new: record<Extract<OrderTarget, { kind: 'new' }>>({ kind: oneOf(['new']) }),
})

const order = record<Order>({
  application: name,
  version: text(0, appLimits.name),
  target,
  ops: list<Op>(operationShape, appLimits.operations),
})

const lookup = record<Lookup>({
  application: name,
  target: variants<Target>({
    id: record<Extract<Target, { kind: 'id' }>>({ kind: oneOf(['id']), id: text(0, appLimits.name) }),
    key: record<Extract<Target, { kind: 'key' }>>({ kind: oneOf(['key']), key: text(0, appLimits.name) }),
  }),
  atLeast: orNull(indexShape),
})

/** Why this is no lookup; null = it looks like one. */
export function lookupFault(value: unknown): string | null {
  const fault = lookup.fault(value)
  return fault === null ? null : `IllegalArgument: a lookup${fault}`
}

/** Why this is no order; null = it looks like one. */
export function orderFault(value: unknown): string | null {
  const fault = order.fault(value)
  if (fault !== null) return `IllegalArgument: an order${fault}`
  for (const op of (value as Order).ops) {
    const packed = packValue(valueIn(op))
    if (!packed.ok) return `IllegalArgument: ${op.kind}: ${packed.error}`
  }
  return null
}

/** What an application made up, and may be anything. */
function valueIn(op: Op): unknown {
  if (op.kind === 'set-attribute') return op.value
  return op.kind === 'create-timer' ? op.timer.info : null
}
