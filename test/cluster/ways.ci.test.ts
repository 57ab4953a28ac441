// The moments of `npm run moments` (test/moments) that matter most, with few calls, on sets that listen to TLS, to WebSocket or to IPv6 alone.
// The three play side by side: each waits most of the time.

import { expect, test } from 'vitest'
import { House } from '../moments/house.ts'
import { moments } from '../moments/list.ts'
import { play } from '../moments/play.ts'
import { wayOf } from '../moments/ways.ts'

/** So many that the one that dies owns one whose answer comes to it as well, by a flow of its own: of 24 datagrams' flows none does so in 6 of
 * 100 runs ((8/9)^24), of 72 in 2 of 10,000. */
const CALLS = 72

const names = [
  'ringing, then answered',
  '200 committed, not relayed',
  'CANCEL crossing 200',
  'up, then BYE of the caller',
  'up, then BYE of the callee',
  're-INVITE in flight, then its 200',
]

const rounds = [
  { way: 'tls', slot: 86 },
  { way: 'ws', slot: 87 },
  { way: 'udp6', slot: 88 },
]

test('a death at a moment, on TLS, on WebSocket and on IPv6 alone: no call is lost, nothing is done twice', async () => {
  const played = rounds.map(async ({ way, slot }) => {
    const house = new House(slot)
    try {
      for (const [nth, name] of names.entries()) {
        const moment = moments.find((one) => one.name === name)
        if (moment === undefined) throw new Error(`no moment is called "${name}"`)
        const outcome = await play(house, { moment, way: wayOf(way), calls: CALLS, nth })
        const { owned, lost, doubled, resets, findings, unexplained } = outcome
        expect({ name, lost, doubled, findings, unexplained }, way).toEqual({
          ...{ name, lost: 0, doubled: 0, findings: [], unexplained: [] },
        })
        console.log(`${way}, ${name}: the dead one owned ${owned} of ${CALLS}, ${resets} connections reset`)
      }
    } finally {
      await house.close()
    }
  })
  // All sets have ended before the test does.
  for (const end of await Promise.allSettled(played)) if (end.status === 'rejected') throw end.reason
})
