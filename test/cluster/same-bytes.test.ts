// The checker itself: it must see two decisions where there are two, and none where there is one.

import { describe, expect, test } from 'vitest'
import { checkSameBytes } from './same-bytes.ts'
import type { WireMessage } from './wire-check.ts'

const [set, phone] = ['127.0.0.10:5060', '127.0.0.1:5070']

function message(start: string, cseq: string, branch: string, extra = ''): WireMessage {
  const via = `Via: SIP/2.0/UDP ${set};branch=${branch}`
  return {
    from: set,
    to: phone,
    text: `${start}\r\n${via}\r\nTo: <sip:a@b>;tag=1\r\nCSeq: ${cseq}\r\n${extra}Content-Length: 0\r\n\r\n`,
  }
}

const invite = message('INVITE sip:a@b SIP/2.0', '1 INVITE', 'z9hG4bK1')

describe('RFC 3261 17: what is sent again is the same bytes', () => {
  test.each([
    ['a retransmission', [invite, invite], 1],
    ['a CANCEL beside its INVITE', [invite, message('CANCEL sip:a@b SIP/2.0', '1 CANCEL', 'z9hG4bK1')], 0],
    ['another transaction', [invite, message('INVITE sip:a@b SIP/2.0', '1 INVITE', 'z9hG4bK2')], 0],
    [
      '100, 180, 200',
      ['100 Trying', '180 Ringing', '200 OK'].map((status) => message(`SIP/2.0 ${status}`, '1 INVITE', 'z9hG4bK1')),
      0,
    ],
  ])('%s is no fault', (_what, messages, again) => {
    expect(checkSameBytes(messages, ['127.0.0.1'])).toEqual({ different: [], sent: messages.length, again })
  })

  test.each([
    ['a request with another header', [invite, message('INVITE sip:a@b SIP/2.0', '1 INVITE', 'z9hG4bK1', 'X: 1\r\n')]],
    ['the same request to another place', [invite, { ...invite, to: '127.0.0.1:5071' }]],
    [
      'two finals of one INVITE',
      ['200 OK', '487 Request Terminated'].map((status) => message(`SIP/2.0 ${status}`, '1 INVITE', 'z9hG4bK1')),
    ],
  ])('%s is one', (_what, messages) => {
    expect(checkSameBytes(messages, ['127.0.0.1']).different).toHaveLength(1)
  })

  test('what phones send is theirs', () => {
    const odd = { ...invite, from: phone, to: set }
    expect(checkSameBytes([odd, { ...odd, text: `${odd.text}x` }], ['127.0.0.1']).sent).toBe(0)
  })
})
