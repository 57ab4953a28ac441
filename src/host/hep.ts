// A copy of each SIP message for a capture server such as Homer: HEP version 3 over UDP (decision 0046). Off unless the config file names
// one. Calls never wait for it: what can't leave at once is dropped and counted.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { isIPv4 } from 'node:net'
import { addressGroups } from '../sip/host.ts'
import type { Transport } from '../sip/transport.ts'
import type { Address } from './address.ts'
import { hostLimits } from './limits.ts'

export interface Captured {
  readonly transport: Transport
  readonly from: Address
  readonly to: Address
  /** Latin-1, as it was on the wire. */
  readonly data: string
}

/** Chunk types of the generic vendor (0x0000), HEP3 section 3. */
const chunk = { family: 1, protocol: 2, from4: 3, to4: 4, from6: 5, to6: 6, fromPort: 7, toPort: 8 } as const
const more = { seconds: 9, micros: 10, payloadType: 11, agent: 12, payload: 15 } as const
const [AF_INET, AF_INET6, TCP, UDP, SIP] = [2, 10, 6, 17, 1]

export class HepExport {
  readonly #to: Address
  readonly #agent: number
  readonly #socket: Socket
  #inFlight = 0
  #sent = 0
  #dropped = 0

  /** `agent`: what the server knows this replica by. */
  constructor(to: Address, agent: number) {
    this.#to = to
    this.#agent = agent
    this.#socket = createSocket(isIPv4(to.host) ? 'udp4' : 'udp6')
    // Who doesn't listen is told of by ICMP; the next copy is tried all the same.
    this.#socket.on('error', () => undefined)
    this.#socket.unref()
  }

  /** `wallMs`: when, in milliseconds since 1970. */
  capture(message: Captured, wallMs: number = Date.now()): void {
    const bytes = encodeHep(message, wallMs, this.#agent)
    if (bytes === null || this.#inFlight >= hostLimits.hepInFlight) {
      this.#dropped++
      return
    }
    this.#inFlight++
    this.#socket.send(bytes, this.#to.port, this.#to.host, (error) => {
      this.#inFlight--
      if (error === null) this.#sent++
      else this.#dropped++
    })
  }

  /** Prometheus text. */
  metrics(): string {
    const lines = (name: string, help: string, value: number): string =>
      `# HELP holdfast_hep_${name}_total ${help}\n# TYPE holdfast_hep_${name}_total counter\nholdfast_hep_${name}_total ${value}\n`
    return (
      lines('sent', 'copies of SIP messages that left for the capture server', this.#sent) +
      lines('dropped', 'copies that could not leave at once, or are too long for a datagram', this.#dropped)
    )
  }

  close(): void {
    this.#socket.close()
  }
}

/** One packet; null = it would be longer than a datagram. */
export function encodeHep({ transport, from, to, data }: Captured, wallMs: number, agent: number): Buffer | null {
  const is4 = isIPv4(from.host) && isIPv4(to.host)
  const payload = Buffer.from(data, 'latin1')
  const chunks = [
    numbered(chunk.family, 1, is4 ? AF_INET : AF_INET6),
    numbered(chunk.protocol, 1, transport === 'udp' ? UDP : TCP),
    chunkOf(is4 ? chunk.from4 : chunk.from6, addressBytes(from.host, is4)),
    chunkOf(is4 ? chunk.to4 : chunk.to6, addressBytes(to.host, is4)),
    numbered(chunk.fromPort, 2, from.port),
    numbered(chunk.toPort, 2, to.port),
    numbered(more.seconds, 4, Math.floor(wallMs / 1_000)),
    numbered(more.micros, 4, Math.floor((wallMs % 1_000) * 1_000)),
    numbered(more.payloadType, 1, SIP),
    numbered(more.agent, 4, agent),
    chunkOf(more.payload, payload),
  ]
  const body = Buffer.concat(chunks)
  const length = 6 + body.length
  if (length > hostLimits.hepBytes) return null
  const head = Buffer.from('HEP3\0\0', 'latin1')
  head.writeUInt16BE(length, 4)
  return Buffer.concat([head, body])
}

function chunkOf(type: number, value: Uint8Array): Buffer {
  const head = Buffer.alloc(6)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE((6 + value.length) & 0xffff, 4)
  return Buffer.concat([head, value])
}

function numbered(type: number, bytes: number, value: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return chunkOf(type, buffer)
}

function addressBytes(host: string, is4: boolean): Uint8Array {
  if (is4) return Uint8Array.from(host.split('.').map(Number))
  const groups = addressGroups(isIPv4(host) ? `::ffff:${host}` : host) ?? []
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}
