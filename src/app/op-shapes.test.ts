import { describe, expect, test } from 'vitest'
import { seconds } from '../base/instant.ts'
import { newTimer } from './testing/stage.ts'
import { appLimits } from './limits.ts'
import { opsFault } from './op-shapes.ts'

describe('an answer is looked at before anything is done', () => {
  test('what an application does through the API passes', () => {
    const ops = [
      { kind: 'set-attribute', of: '1', name: 'a', value: { any: [1] } },
      {
        kind: 'respond',
        request: '1',
        response: { status: 200, headers: [['Subject', 'x']], body: '', reason: 'Fine' },
      },
      { kind: 'proxy', request: '1', plan: { targets: [['sip:a@b'], []], recurse: false, timeout: seconds(5) } },
      newTimer('t1', 5),
      { kind: 'set-expires', after: null },
    ]
    expect(opsFault(ops)).toBeNull()
  })

  test.each([
    ['no list', {}, 'IllegalArgument: operations: expected a list of at most 1000'],
    ['no operation', [null], 'operations[0]: unknown kind'],
    ['one that does not exist', [{ kind: 'shut-down' }], 'operations[0]: unknown kind'],
    ['one of another type', [{ kind: 'unlink', session: 7 }], 'operations[0].session: expected a string'],
    ['a missing field', [{ kind: 'invalidate' }], 'operations[0]: expected of'],
    ['time that runs back', [{ kind: 'set-expires', after: -1 }], 'operations[0].after: expected an integer from 0'],
    ['time in parts', [{ kind: 'set-expires', after: 0.5 }], 'operations[0].after: expected an integer from 0'],
    [
      'a header within a header',
      [{ kind: 'ack', session: '1', parts: { headers: [['Subject', 'x\r\nRoute: <sip:evil>']], body: '' } }],
      'operations[0].parts.headers[0]: expected one line',
    ],
    [
      'a reason of two lines',
      [{ kind: 'respond', request: '1', response: { status: 200, headers: [], body: '', reason: 'a\nb' } }],
      'operations[0].response.reason: expected one line',
    ],
  ])('refused, with where it is: %s', (_, ops, reason) => {
    expect(opsFault(ops)).toContain(reason)
  })

  test('more than an answer may have', () => {
    const ops = Array.from({ length: appLimits.operations + 1 }, () => ({ kind: 'unlink', session: '1' }))
    expect(opsFault(ops)).toBe('IllegalArgument: operations: expected a list of at most 1000')
  })
})
