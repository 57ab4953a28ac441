// Hosts compared by what they mean: names without case, IPv6 addresses by their value, since each may be written in many
// ways (RFC 5954 4.2, RFC 5952).

import { isDigitCode } from './scan.ts'

/** An IPv6 address is not longer, an embedded IPv4 address included. */
const MOST_CHARACTERS = 45

/** Whether both name the same host. IPv6 addresses are without brackets. */
export function sameHost(a: string, b: string): boolean {
  if (a === b) return true
  if (!a.includes(':') || !b.includes(':')) return a.toLowerCase() === b.toLowerCase()
  const [first, second] = [ipv6Groups(a), ipv6Groups(b)]
  return first !== null && second !== null && first.every((group, i) => group === second[i])
}

export function isIpv6(host: string): boolean {
  return ipv6Groups(host) !== null
}

/** Four decimal bytes with dots. */
export function isIpv4(host: string): boolean {
  return ipv4Bytes(host) !== null
}

/** Any address as the eight groups of an IPv6 one, an IPv4 address as the IPv6 address that it is mapped to (RFC 4291 2.5.5.2);
 * null = it is none. */
export function addressGroups(host: string): readonly number[] | null {
  if (host.includes(':')) return ipv6Groups(host)
  const bytes = ipv4Bytes(host)
  if (bytes === null) return null
  const [a = 0, b = 0, c = 0, d = 0] = bytes
  return [0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d]
}

/** An IPv6 reference's address; anything else as it is. */
export function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
}

/** The eight groups of an IPv6 address (RFC 4291 2.2), or null if the text is none. */
function ipv6Groups(text: string): readonly number[] | null {
  if (text.length > MOST_CHARACTERS) return null
  const gap = text.indexOf('::')
  if (gap < 0) {
    const groups = readGroups(text)
    return groups?.length === 8 ? groups : null
  }
  const head = gap === 0 ? [] : readGroups(text.slice(0, gap), false)
  const tail = gap + 2 === text.length ? [] : readGroups(text.slice(gap + 2))
  // `::` stands for one group of zeros or more.
  if (head === null || tail === null || head.length + tail.length > 7) return null
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail]
}

/** Groups between colons; the last two may be an IPv4 address. */
function readGroups(text: string, mayEndInIpv4 = true): number[] | null {
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    const bytes = mayEndInIpv4 && i === parts.length - 1 ? ipv4Bytes(part) : null
    if (bytes !== null) {
      const [a = 0, b = 0, c = 0, d = 0] = bytes
      groups.push(a * 256 + b, c * 256 + d)
      continue
    }
    const group = hexGroup(part)
    if (group < 0) return null
    groups.push(group)
  }
  return groups
}

function hexGroup(part: string): number {
  if (part.length === 0 || part.length > 4) return -1
  let value = 0
  for (let i = 0; i < part.length; i++) {
    const code = part.charCodeAt(i)
    const lower = code | 0x20
    if (isDigitCode(code)) value = value * 16 + (code - 0x30)
    else if (lower >= 0x61 && lower <= 0x66) value = value * 16 + (lower - 0x57)
    else return -1
  }
  return value
}

function ipv4Bytes(text: string): readonly number[] | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  const bytes: number[] = []
  for (const part of parts) {
    if (part.length === 0 || part.length > 3) return null
    for (let i = 0; i < part.length; i++) if (!isDigitCode(part.charCodeAt(i))) return null
    const byte = Number(part)
    if (byte > 255) return null
    bytes.push(byte)
  }
  return bytes
}
