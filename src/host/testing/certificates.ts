// Certificates for tests, made where they run: an authority, and what it signs. Just enough of X.509 (RFC 5280) in DER.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export interface Pem {
  readonly cert: string
  readonly key: string
}

export interface Wish {
  /** DNS names and IP addresses that it is made out to. */
  readonly names: readonly string[]
  /** Days from now. */
  readonly from?: number
  readonly to?: number
}

export interface Authority {
  readonly cert: string
  issue(wish: Wish): Pem
}

const DAY_MS = 86_400_000

export function makeAuthority(name = 'Holdfast test authority'): Authority {
  const own = keys()
  const cert = certificate({
    subject: name,
    issuer: name,
    publicKey: own.publicKey,
    signer: own.privateKey,
    isAuthority: true,
  })
  return {
    cert,
    issue(wish) {
      const pair = keys()
      const subject = wish.names[0] ?? 'nobody'
      const { publicKey } = pair
      return {
        cert: certificate({ subject, issuer: name, publicKey, signer: own.privateKey, isAuthority: false, ...wish }),
        key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      }
    },
  }
}

function keys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

interface Parts extends Partial<Wish> {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly isAuthority: boolean
}

function certificate({
  subject,
  issuer,
  publicKey,
  signer,
  isAuthority,
  names = [],
  from = -1,
  to = 30,
}: Parts): string {
  const algorithm = sequence(objectId('1.2.840.10045.4.3.2'))
  const extensions = sequence(
    extension('2.5.29.19', sequence(...(isAuthority ? [der(0x01, Buffer.of(0xff))] : []))),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names.map(generalName)))]),
  )
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    distinguished(issuer),
    sequence(time(from), time(to)),
    distinguished(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  )
  const whole = sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, signer)])))
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

/** Tag, length, value. */
function der(tag: number, value: Buffer): Buffer {
  const { length } = value
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), value])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...others] = text.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of others) {
    const septets = [arc & 0x7f]
    for (let rest = arc >> 7; rest > 0; rest >>= 7) septets.unshift((rest & 0x7f) | 0x80)
    bytes.push(...septets)
  }
  return der(0x06, Buffer.from(bytes))
}

function distinguished(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId('2.5.4.3'), der(0x0c, Buffer.from(commonName)))))
}

/** UTCTime, so many days from now. */
function time(days: number): Buffer {
  const text = new Date(Date.now() + days * DAY_MS).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x17, Buffer.from(text.slice(2)))
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), der(0x04, value))
}

function generalName(name: string): Buffer {
  if (name.includes(':')) return der(0x87, ipv6Bytes(name))
  if (/^[\d.]+$/.test(name)) return der(0x87, Buffer.from(name.split('.').map(Number)))
  return der(0x82, Buffer.from(name))
}

function ipv6Bytes(text: string): Buffer {
  const [head = '', tail] = text.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}
