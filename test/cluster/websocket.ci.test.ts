import { expect, test } from 'vitest'
import { place } from './replica-set.ts'
import { allEnded, playTransportCalls } from './transport-calls.ts'

test('RFC 7118: a set on WebSocket alone: calls outlive a replica, and clients that connect again go on', async () => {
  const { byes, resets } = await playTransportCalls('ws', place(82))
  console.log(`${byes.length} calls, ${resets} connections died with a replica`)
  expect(byes).toEqual(allEnded)
})
