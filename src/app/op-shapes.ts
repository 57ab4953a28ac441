// What an answer must look like, field by field. It comes from somebody else's process: what isn't of these shapes is refused before
// anything looks at it, with where it is. What it means for the group is for operations.ts to say.

import type { Duration } from '../base/instant.ts'
import { flag, integer, list, matching, oneOf, orNull, record, text, variants } from '../wire/shape.ts'
import type { RecordShape, Shape } from '../wire/shape.ts'
import type { InitialRequest, MessageParts, NewTimer, Op, ProxyPlan, ResponseParts } from './contract.ts'
import { appLimits } from './limits.ts'

function kind<K extends string>(word: K): Shape<K> {
  return oneOf([word])
}

const name: Shape<string> = text(0, appLimits.name)
/** Of a session, a request or a timer. */
const id: Shape<string> = text(0, 40)
/** What becomes a line of a message is one line: another one in it would be a header that nobody looked at. */
const line: Shape<string> = matching('one line of at most 8192 characters', /^[^\r\n\0]{0,8192}$/)
const duration: Shape<Duration> = integer(0, appLimits.mostDelay)
/** packed.ts looks at it. */
const anything: Shape<never> = { fault: () => null, tidy: (value) => value, isLeaf: true }

const header: Shape<readonly [name: string, value: string]> = {
  fault: (value) =>
    Array.isArray(value) && value.length === 2
      ? (line.fault(value[0]) ?? line.fault(value[1]))
      : ': expected a name and a value',
  tidy: (value) => value,
}

const content = { headers: list(header, 100), body: text<string>(0, 65_535) }

/** Some of its fields may be left out. */
function withOptional<T extends object, K extends keyof T>(
  shape: RecordShape<Omit<T, K>>,
  optional: Readonly<Record<K, Pick<Shape<string>, 'fault'>>>,
): RecordShape<T> {
  return {
    keys: shape.keys,
    fault(value) {
      const fault = shape.fault(value)
      if (fault !== null) return fault
      for (const key of Object.keys(optional) as K[]) {
        const field = (value as T)[key]
        const wrong = field === undefined ? null : optional[key].fault(field)
        if (wrong !== null) return `.${String(key)}${wrong}`
      }
      return null
    },
    tidy: (value) => value,
  }
}

type InDialog = Extract<Op, { kind: 'request' }>

const parts = withOptional<MessageParts, 'reason'>(record(content), { reason: line })
const response = withOptional<ResponseParts, 'reason' | 'reliable'>(
  record<Omit<ResponseParts, 'reason' | 'reliable'>>({ ...content, status: integer(100, 699) }),
  { reason: line, reliable: flag },
)
const first = withOptional<InitialRequest, 'reason' | 'linked' | 'directive'>(
  record<Omit<InitialRequest, 'reason' | 'linked' | 'directive'>>({
    ...content,
    method: line,
    from: line,
    to: line,
    requestUri: line,
    routes: list(line, 16),
    callId: line,
  }),
  { reason: line, linked: id, directive: oneOf(['NEW', 'CONTINUE', 'REVERSE']) },
)
const changed: Shape<readonly [name: string, value: string | null]> = {
  fault: (value) => (Array.isArray(value) && value[1] === null ? line.fault(value[0]) : header.fault(value)),
  tidy: (value) => value,
}
const plan = withOptional<ProxyPlan, 'headers' | 'routes'>(
  record<Omit<ProxyPlan, 'headers' | 'routes'>>({
    targets: list(list(line, 16), 16),
    recurse: flag,
    timeout: orNull(duration),
  }),
  { headers: list(changed, 100), routes: list(line, 16) },
)
const timer = record<NewTimer>({
  id,
  after: duration,
  period: orNull(duration),
  isFixedDelay: flag,
  isPersistent: flag,
  info: anything,
})

export const operationShape = variants<Op>({
  'set-attribute': record({ kind: kind('set-attribute'), of: id, name, value: anything }),
  'remove-attribute': record({ kind: kind('remove-attribute'), of: id, name }),
  'expect-version': record({ kind: kind('expect-version'), of: id, version: integer<number>(0) }),
  proxy: record({ kind: kind('proxy'), request: id, plan }),
  respond: record({ kind: kind('respond'), request: id, response }),
  'create-session': record({ kind: kind('create-session'), id, first }),
  request: withOptional<InDialog, 'linked'>(record({ kind: kind('request'), session: id, method: line, parts }), {
    linked: id,
  }),
  ack: record({ kind: kind('ack'), session: id, parts }),
  cancel: record({ kind: kind('cancel'), session: id }),
  link: record({ kind: kind('link'), a: id, b: id }),
  unlink: record({ kind: kind('unlink'), session: id }),
  'end-call': record({ kind: kind('end-call'), session: id }),
  'cancel-proxy': record({ kind: kind('cancel-proxy'), session: id }),
  'create-timer': record({ kind: kind('create-timer'), timer }),
  'cancel-timer': record({ kind: kind('cancel-timer'), id }),
  'set-expires': record({ kind: kind('set-expires'), after: orNull(duration) }),
  invalidate: record({ kind: kind('invalidate'), of: id }),
  'set-invalidate-when-ready': record({ kind: kind('set-invalidate-when-ready'), of: id, value: flag }),
  'set-handler': record({ kind: kind('set-handler'), session: id, handler: name }),
})

const operations = list(operationShape, appLimits.operations)

/** Why these are no operations; null = they are, as far as their looks go. */
export function opsFault(ops: unknown): string | null {
  const fault = operations.fault(ops)
  return fault === null ? null : `IllegalArgument: operations${fault}`
}
