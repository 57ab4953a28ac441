// baresip calls baresip, with RTP between them: a process for each end of each call, each with an outbound proxy, the set, so that the
// Request-URI says where a call goes.

import { connectionsAt, inArena } from './arena.ts'
import type { Arena, Transport } from './arena.ts'
import { BaresipPhone } from './baresip-phone.ts'
import type { PhonePorts } from './baresip-phone.ts'
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
        const ends = new Map<string, MediaEnds>()
        const watch = await watchRtp(arena, rtpRange(slot), ({ name }) => ends.get(name) as MediaEnds)
        return playCalls(arena, baresipPhones(arena, by, ends), { answered: 4, ringing: 2 }, watch)
      }),
  }
}

// Of a slot's 400 ports the phones have 160 for SIP, four each, 160 for RTP, and 40 for control.
function firstPort(slot: number): number {
  return 26_000 + 400 * (slot % 50)
}

function rtpRange(slot: number): readonly [number, number] {
  return [firstPort(slot) + 160, firstPort(slot) + 319]
}

function portsOf(slot: number, phone: number): PhonePorts {
  const first = firstPort(slot)
  return { sip: first + 4 * phone, rtp: first + 160 + 4 * phone, control: first + 320 + phone }
}

function baresipPhones(arena: Arena, by: Transport, ends: Map<string, MediaEnds>): Phones {
  let made = 0
  return {
    async ring(name) {
      const ports = [portsOf(arena.slot, made++), portsOf(arena.slot, made++)] as const
      ends.set(name, { caller: ports[0].rtp, callee: ports[1].rtp })
      const proxy = arena.sip(by)
      const [caller, callee] = await Promise.all([
        BaresipPhone.start(arena, { ports: ports[0], by, proxy }),
        BaresipPhone.start(arena, { ports: ports[1], by, proxy }),
      ])
      const calleeAt = `127.0.0.1:${ports[1].sip + (by === 'tls' ? 1 : 0)}`
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
    isCut: ({ connections }) => cameBy.some((far) => connections.has(`${stream} ${far}`)),
  }
}
