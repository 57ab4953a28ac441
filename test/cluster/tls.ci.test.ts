import { expect, test } from 'vitest'
import { place } from './replica-set.ts'
import { allEnded, playTransportCalls } from './transport-calls.ts'

test('a set on TLS alone: calls outlive a replica, and phones that connect again go on', async () => {
  const { byes, resets } = await playTransportCalls('tls', place(81))
  console.log(`${byes.length} calls, ${resets} connections died with a replica`)
  expect(byes).toEqual(allEnded)
})
