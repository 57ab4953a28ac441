import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { micros } from '../base/instant.ts'
import { pack, unpack } from '../wire/pack.ts'
import { readTransaction, transactionFields } from './record.ts'

const text = fc.string()
const flow = fc.record({
  transport: fc.constantFrom('udp' as const, 'tcp' as const),
  host: text,
  port: fc.nat(),
  stream: text,
})
const branch = fc.record({
  id: text,
  ordinal: fc.nat(),
  attempt: fc.nat(),
  branch: text,
  hop: flow,
  state: fc.constantFrom(
    'calling' as const,
    'proceeding' as const,
    'accepted' as const,
    'completed' as const,
    'terminated' as const,
  ),
  ack: fc.option(text),
  rank: fc.nat(),
  answer: fc.option(text),
  cancel: fc.option(text),
})
const invite = {
  kind: fc.constant('invite' as const),
  key: text,
  upstream: flow,
  from: fc.constantFrom('caller' as const, 'callee' as const),
  cseq: fc.nat(),
  session: text,
  dialog: text,
  cancelled: fc.boolean(),
  cancelAnswer: fc.option(text),
  branches: fc.array(branch, { maxLength: 3 }),
  rules: fc.option(fc.record({ isRecursive: fc.boolean(), patience: fc.option(fc.nat().map(micros)) })),
}
const nothing = fc.constant(null)
const record = fc.oneof(
  fc.record({ ...invite, state: fc.constant('proceeding' as const), provisional: fc.option(text), final: nothing }),
  fc.record({
    ...invite,
    state: fc.constantFrom('accepted' as const, 'completed' as const),
    provisional: nothing,
    final: fc.option(text),
  }),
  fc.record({ kind: fc.constant('request' as const), text }),
  fc.record({ kind: fc.constant('bye' as const), key: text, upstream: flow, dialog: text, final: text }),
  fc.record({
    kind: fc.constant('own' as const),
    dialog: text,
    to: fc.constantFrom('caller' as const, 'callee' as const),
    attempt: fc.nat(),
    branch: text,
    hop: flow,
    text,
  }),
)

describe('transactions in the log', () => {
  test('what is packed is read back', () => {
    fc.assert(
      fc.property(record, (value) => {
        const unpacked = unpack(pack(transactionFields(value, 2)))
        expect(unpacked.ok && readTransaction(unpacked.value)).toEqual(value)
      }),
    )
  })

  test('latin1 survives: a SIP body is bytes', () => {
    const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')
    const unpacked = unpack(pack(transactionFields({ kind: 'request', text: all }, 2)))
    expect(unpacked.ok && readTransaction(unpacked.value)).toEqual({ kind: 'request', text: all })
  })
})
