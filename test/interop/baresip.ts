// baresip calls baresip, with RTP between them: a process for each end of each call, each with an outbound proxy, the set, so that the
// Request-URI says where a call goes.

import { connectionsAt, inArena } from './arena.ts'
import type { Arena, Transport } from './arena.ts'
import { BaresipPhone } from './baresip-phone.ts'
import { playCalls } from './play.ts'
import type { Call, Phones } from './play.ts'
import { watchRtp } from './rtp.ts'
import type { MediaEnds } from './rtp.ts'
import { missingPrograms, versionOf } from './software.ts'
import type { Side, Software } from './software.ts'

export function baresipSoftware(by: Transport, slot: number): Software {
  return {
    ...{ name: 'baresip', role: 'caller and callee', transport: by, slot },
    missing: () => missingPrograms(['baresip', 'tcpdump'], 'baresip-core tcpdump'),
    version: () => versionOf('baresip', ['-h']),
    run: (slot) =>
      inArena(slot, null, async (arena) => {
        const hosts = new Map<string, MediaEnds>()
        const watch = await watchRtp(arena, ({ name }) => hosts.get(name) as MediaEnds)
        return playCalls(arena, baresipPhones(arena, by, hosts), { answered: 4, ringing: 2 }, watch)
      }),
  }
}

function baresipPhones(arena: Arena, by: Transport, hosts: Map<string, MediaEnds>): Phones {
  let made = 0
  return {
    async ring(name) {
      const at = made++
      const ends = { caller: arena.host(100 + at), callee: arena.host(150 + at) }
      hosts.set(name, ends)
      const proxy = arena.sip(by)
      const [caller, callee] = await Promise.all([
        BaresipPhone.start(arena, { host: ends.caller, by, proxy }),
        BaresipPhone.start(arena, { host: ends.callee, by, proxy }),
      ])
      const calleeAt = `${ends.callee}:${by === 'tls' ? 5061 : 5060}`
      // It adds the transport by itself.
      caller.tell('dial', `sip:phone@${calleeAt}`)
      await caller.event('CALL_RINGING')
      await callee.event('CALL_INCOMING')
      return baresipCall(name, caller, callee, by === 'udp' ? null : calleeAt)
    },
  }
}

function baresipCall(name: string, caller: BaresipPhone, callee: BaresipPhone, stream: string | null): Call {
  const end = { caller, callee }
  const other = { caller: callee, callee: caller }
  const cameBy = stream === null ? [] : connectionsAt(stream)
  return {
    name,
    async answer() {
      callee.tell('accept')
      await Promise.all([caller.event('CALL_ESTABLISHED'), callee.event('CALL_ESTABLISHED')])
    },
    ask: (side) => end[side].ask('reinvite', 'INVITE'),
    async hangUp(side: Side) {
      const status = await end[side].ask('hangup', 'BYE')
      await other[side].event('CALL_CLOSED')
      return status
    },
    isCut() {
      const isGone = stream !== null && cameBy.some((far) => !connectionsAt(stream).includes(far))
      return isGone || caller.has('CALL_CLOSED')
    },
  }
}
