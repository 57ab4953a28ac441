// What went over the loopback, as tcpdump saw it: a reader of its capture file, with the SIP messages of UDP datagrams
// and of TCP streams in order of time.

import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { exitOf, startProgram } from './programs.ts'
import { until } from './poll.ts'
import type { Program } from './programs.ts'
import type { WireMessage } from './wire-check.ts'

/** A datagram or segment of IPv4; `at`: microseconds of the wall clock. */
export interface Packet {
  readonly at: number
  readonly from: string
  readonly to: string
  readonly transport: 'udp' | 'tcp'
  readonly sequence: number
  readonly syn: boolean
  readonly payload: string
}

/** A datagram with this is the last that is captured. */
const endMark = 'end of the capture'

export class Capture {
  readonly #program: Program
  readonly #file: string
  readonly #host: string

  /** `host`: one of those whose packets are captured. */
  constructor(program: Program, file: string, host: string) {
    this.#program = program
    this.#file = file
    this.#host = host
  }

  /** Ends the capture; all SIP messages in it, in order of time. Throws if the kernel dropped a packet. */
  async stop(): Promise<WireMessage[]> {
    const socket = createSocket('udp4')
    try {
      // To a port where nobody listens: once it is in the file, so is all before it.
      socket.on('error', () => undefined)
      await until('the capture is written', 10_000, () => {
        socket.send(endMark, 9, this.#host)
        return readFileSync(this.#file).includes(endMark) ? true : null
      })
    } finally {
      socket.close()
    }
    this.#program.signal('SIGINT')
    await exitOf(this.#program, 'tcpdump', 10_000)
    const dropped = /(\d+) packets? dropped by kernel/.exec(this.#program.stderr())?.[1]
    if (dropped !== '0') throw new Error(`the capture is not whole: ${this.#program.stderr()}`)
    return readMessages(readFileSync(this.#file))
  }

  async destroy(): Promise<void> {
    this.#program.signal('SIGKILL')
    await this.#program.exit
  }
}

/** Captures all that goes to or from these hosts. Needs the right to capture. */
export async function startCapture(hosts: readonly string[], file: string): Promise<Capture> {
  const filter = hosts.map((host) => `host ${host}`).join(' or ')
  const program = startProgram('tcpdump', [
    '-i',
    'lo',
    '-s',
    '0',
    '-B',
    '65536',
    '-Z',
    'root',
    '-n',
    '-w',
    file,
    filter,
  ])
  await until('tcpdump listens', 10_000, () => (program.stderr().includes('listening on') ? true : null))
  return new Capture(program, file, hosts[0] as string)
}

/** The SIP messages of a capture file (pcap, little-endian, Ethernet). */
function readMessages(file: Buffer): WireMessage[] {
  const found: { at: number; message: WireMessage }[] = []
  const streams = new Map<string, Packet[]>()
  for (const packet of readPackets(file)) {
    const { from, to } = packet
    if (packet.transport === 'udp') found.push({ at: packet.at, message: { from, to, text: packet.payload } })
    else {
      const stream = streams.get(`${from} ${to}`) ?? []
      stream.push(packet)
      streams.set(`${from} ${to}`, stream)
    }
  }
  for (const stream of streams.values()) found.push(...streamMessages(stream))
  // A keep-alive (RFC 5626) is no message.
  const messages = found.filter(({ message: { text } }) => text.trim() !== '' && text !== endMark)
  return messages.sort((a, b) => a.at - b.at).map(({ message }) => message)
}

/** The packets of a capture file (pcap, little-endian, Ethernet), which may still be written. */
export function* readPackets(file: Buffer): Generator<Packet> {
  const magic = file.readUInt32LE(0)
  if (magic !== 0xa1b2c3d4 || file.readUInt32LE(20) !== 1) throw new Error('not a little-endian capture of Ethernet')
  for (let at = 24; at + 16 <= file.length;) {
    const seconds = file.readUInt32LE(at)
    const micros = file.readUInt32LE(at + 4)
    const length = file.readUInt32LE(at + 8)
    if (at + 16 + length > file.length) return
    const packet = readPacket(file.subarray(at + 16, at + 16 + length), seconds * 1_000_000 + micros)
    if (packet !== null) yield packet
    at += 16 + length
  }
}

// Ethernet, IPv4, then UDP or TCP; anything else is null.
function readPacket(frame: Buffer, at: number): Packet | null {
  if (frame.readUInt16BE(12) !== 0x0800) return null
  const ip = frame.subarray(14)
  const protocol = ip.readUInt8(9)
  if ((protocol !== 17 && protocol !== 6) || (ip.readUInt16BE(6) & 0x3fff) !== 0) return null
  const header = (ip.readUInt8(0) & 15) * 4
  const segment = ip.subarray(header, ip.readUInt16BE(2))
  const from = `${[...ip.subarray(12, 16)].join('.')}:${segment.readUInt16BE(0)}`
  const to = `${[...ip.subarray(16, 20)].join('.')}:${segment.readUInt16BE(2)}`
  if (protocol === 17) {
    return { at, from, to, transport: 'udp', sequence: 0, syn: false, payload: segment.subarray(8).toString('latin1') }
  }
  const offset = (segment.readUInt8(12) >> 4) * 4
  const syn = (segment.readUInt8(13) & 2) !== 0
  const payload = segment.subarray(offset).toString('latin1')
  return { at, from, to, transport: 'tcp', sequence: segment.readUInt32BE(4), syn, payload }
}

// One direction of TCP connections between two addresses, one after another: bytes in order of sequence, then messages
// by Content-Length (18.3), each with the time of its last byte.
function streamMessages(packets: readonly Packet[]): { at: number; message: WireMessage }[] {
  const found: { at: number; message: WireMessage }[] = []
  let next = 0
  let buffer = ''
  let waiting: Packet[] = []
  const take = (packet: Packet): void => {
    buffer += packet.payload
    next = (next + packet.payload.length) >>> 0
    for (let end = messageEnd(buffer); end > 0; end = messageEnd(buffer)) {
      found.push({ at: packet.at, message: { from: packet.from, to: packet.to, text: buffer.slice(0, end) } })
      buffer = buffer.slice(end).replace(/^(?:\r\n)+/, '')
    }
  }
  for (const packet of packets) {
    if (packet.syn) {
      next = (packet.sequence + 1) >>> 0
      buffer = ''
      waiting = []
    } else if (packet.payload !== '') waiting.push(packet)
    for (let ready = waiting.find((one) => one.sequence === next); ready !== undefined;) {
      take(ready)
      waiting = waiting.filter((one) => one !== ready)
      ready = waiting.find((one) => one.sequence === next)
    }
  }
  return found
}

function messageEnd(buffer: string): number {
  const head = buffer.indexOf('\r\n\r\n')
  if (head < 0) return 0
  const length = /^(?:content-length|l)\s*:\s*(\d+)\s*$/im.exec(buffer.slice(0, head))?.[1] ?? '0'
  const end = head + 4 + Number(length)
  return buffer.length >= end ? end : 0
}
