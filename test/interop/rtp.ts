// RTP between phones, as tcpdump sees it on the loopback: whether it flows on through a death. Media never goes by the set; that a
// phone keeps sending and hearing shows that it still has its call.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPackets } from '../cluster/capture.ts'
import { settled, until } from '../cluster/poll.ts'
import { startProgram } from '../cluster/programs.ts'
import type { Arena } from './arena.ts'
import type { Call, Watch } from './play.ts'

/** A second of audio, at 20 ms a packet. */
const ENOUGH = 50

/** The first of the four ports of each phone of a call, a multiple of four. */
export interface MediaEnds {
  readonly caller: number
  readonly callee: number
}

/** `from` to `to`: ports of phones. */
export async function watchRtp(
  arena: Arena,
  [from, to]: readonly [number, number],
  endsOf: (call: Call) => MediaEnds,
): Promise<Watch> {
  const file = join(arena.folder, 'rtp.pcap')
  const filter = `udp and dst portrange ${from}-${to}`
  const program = startProgram('tcpdump', ['-i', 'lo', '-s', '96', '-U', '-Z', 'root', '-n', '-w', file, filter])
  arena.atEnd(async () => {
    program.signal('SIGKILL')
    await program.exit
  })
  await until('tcpdump listens', 10_000, () => (program.stderr().includes('listening on') ? true : null))

  let killedAt = 0
  let [longestGap, looked, flowed] = [0, 0, 0]
  return {
    beforeKill() {
      killedAt = Date.now() * 1_000
    },
    async afterKill(calls) {
      const ways = calls.flatMap((call) => {
        const { caller, callee } = endsOf(call)
        return [caller, callee].map((to) => ({ call, to }))
      })
      const flowing = (all: ReadonlyMap<number, readonly number[]>, to: number): boolean => {
        const sent = all.get(to) ?? []
        const before = sent.filter((at) => at < killedAt).length
        return before > 0 && sent.length - before >= ENOUGH
      }
      const faults = new Map<string, string>()
      const read = (): Promise<ReadonlyMap<number, readonly number[]>> => Promise.resolve(rtpOf(readFileSync(file)))
      await settled('RTP flows', 15_000, read, (all) => ways.every(({ to }) => flowing(all, to))).catch(() => undefined)
      const all = await read()
      for (const { call, to } of ways) {
        if (flowing(all, to)) flowed++
        else faults.set(call.name, `no second of RTP to port ${to} after the kill`)
        const around = (all.get(to) ?? []).filter((at) => at > killedAt - 1_000_000)
        longestGap = Math.max(longestGap, ...gaps(around))
      }
      looked += ways.length
      return faults
    },
    note: () =>
      `RTP before and after each kill in ${flowed} of ${looked} directions, longest gap ${Math.round(longestGap)} ms`,
  }
}

/** When RTP packets (RFC 3550 5.1) were sent, by the phone they were sent to. */
function rtpOf(file: Buffer): Map<number, number[]> {
  const streams = new Map<number, number[]>()
  for (const { at, to, transport, payload } of readPackets(file)) {
    if (transport !== 'udp' || payload.length < 12 || payload.charCodeAt(0) >> 6 !== 2) continue
    // 72 to 76 with the marker are RTCP's (RFC 5761 4).
    const type = payload.charCodeAt(1) & 0x7f
    if (type >= 64 && type <= 95) continue
    const port = Number(to.slice(to.lastIndexOf(':') + 1))
    const phone = port - (port % 4)
    const stream = streams.get(phone) ?? []
    stream.push(at)
    streams.set(phone, stream)
  }
  return streams
}

function gaps(sent: readonly number[]): number[] {
  return sent.slice(1).map((at, i) => (at - (sent[i] as number)) / 1_000)
}
