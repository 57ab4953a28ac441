// A DNS server of a few records (RFC 1035, 2782, 3403), for tests: over UDP, at an address of its own.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'

export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly name: string; readonly address: readonly number[]; readonly ttl?: number }
  | {
      readonly type: 'SRV'
      readonly name: string
      readonly priority: number
      readonly weight: number
      readonly port: number
      readonly target: string
    }
  | {
      readonly type: 'NAPTR'
      readonly name: string
      readonly order: number
      readonly preference: number
      readonly service: string
      readonly replacement: string
    }

const TYPES: Readonly<Record<DnsRecord['type'], number>> = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 }
const NO_SUCH_NAME = 3
const IN = 1

export class DnsServer {
  readonly #socket: Socket = createSocket('udp4')
  readonly asked: string[] = []
  records: readonly DnsRecord[] = []
  /** False: it answers nobody. */
  answers = true

  /** Its port. */
  async open(host: string): Promise<number> {
    this.#socket.on('message', (query, from) => {
      const answer = this.#answer(query)
      if (this.answers) this.#socket.send(answer, from.port, from.address)
    })
    this.#socket.bind(0, host)
    await once(this.#socket, 'listening')
    return this.#socket.address().port
  }

  close(): void {
    this.#socket.close()
  }

  #answer(query: Buffer): Buffer {
    const { name, end } = readName(query, 12)
    const type = query.readUInt16BE(end)
    const kind = Object.entries(TYPES).find(([, code]) => code === type)?.[0] ?? String(type)
    this.asked.push(`${kind} ${name}`)
    const named = this.records.filter((record) => record.name === name)
    const found = named.filter((record) => TYPES[record.type] === type)
    const header = Buffer.alloc(12)
    query.copy(header, 0, 0, 2)
    header.writeUInt16BE(0x8580 | (named.length === 0 ? NO_SUCH_NAME : 0), 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(found.length, 6)
    return Buffer.concat([header, query.subarray(12, end + 4), ...found.map(recordBytes)])
  }
}

function readName(bytes: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = start
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

function recordBytes(record: DnsRecord): Buffer {
  const data = dataOf(record)
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(TYPES[record.type], 0)
  fixed.writeUInt16BE(IN, 2)
  fixed.writeUInt32BE('ttl' in record ? (record.ttl ?? 30) : 30, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([nameBytes(record.name), fixed, data])
}

function dataOf(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return Buffer.from(record.address)
    case 'SRV':
      return Buffer.concat([numbers(record.priority, record.weight, record.port), nameBytes(record.target)])
    case 'NAPTR': {
      const texts = ['s', record.service, ''].map((text) => Buffer.from([text.length, ...Buffer.from(text)]))
      return Buffer.concat([numbers(record.order, record.preference), ...texts, nameBytes(record.replacement)])
    }
  }
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 2 * i)
  return bytes
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.of(0)])
}
