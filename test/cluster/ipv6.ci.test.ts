import { expect, test } from 'vitest'
import { place } from './replica-set.ts'
import { allEnded, playTransportCalls } from './transport-calls.ts'

test('a set on IPv6 alone: calls outlive a replica', async () => {
  const { byes, resets } = await playTransportCalls('udp', {
    ...place(83),
    sip: '[::1]:5083',
    caller: '[::1]:5060',
    callee: '[::1]:5093',
  })
  console.log(`${byes.length} calls, ${resets} connections died with a replica`)
  expect(byes).toEqual(allEnded)
})
