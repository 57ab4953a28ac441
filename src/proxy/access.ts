// Who may have requests relayed (decision 0026): blocks of addresses (RFC 4632, RFC 4291 2.3). Without such a list a set that
// others can reach would be an open relay.

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { addressGroups } from '../sip/host.ts'

/** A block of addresses: those that begin with the same bits. IPv4 addresses are here as the IPv6 addresses that they are mapped
 * to, so that one way of writing an address stands for all. */
export interface Block {
  readonly groups: readonly number[]
  /** How many of the 128 bits count. */
  readonly bits: number
}

export type AccessList = readonly Block[]

const MAPPED_BITS = 96

/** `192.0.2.0/24`, `2001:db8::/32`, or one address. */
export function parseBlock(text: string): Result<Block, string> {
  const wrong = `"${text}" is not a block of addresses (such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7)`
  const slash = text.indexOf('/')
  const host = slash < 0 ? text : text.slice(0, slash)
  const groups = addressGroups(host)
  if (groups === null) return err(wrong)
  const before = host.includes(':') ? 0 : MAPPED_BITS
  const most = 128 - before
  const length = slash < 0 ? most : prefixLength(text.slice(slash + 1))
  if (length === null || length > most) return err(`${wrong}: after / stands a number from 0 to ${most}`)
  const bits = before + length
  const block = { groups: groups.map((group, i) => group & mask(bits, i)), bits }
  if (block.groups.some((group, i) => group !== groups[i])) {
    return err(`"${text}": ${host} has bits set after the first ${length}; leave them out, or give a longer prefix`)
  }
  return ok(block)
}

/** As `parseBlock` reads it: one way for each block, by which two writings of it are known as one. */
export function printBlock({ groups, bits }: Block): string {
  if (bits >= MAPPED_BITS && isMapped(groups)) {
    const bytes = groups.slice(6).flatMap((group) => [group >> 8, group & 255])
    return bits === 128 ? bytes.join('.') : `${bytes.join('.')}/${bits - MAPPED_BITS}`
  }
  // RFC 5952 4.2: the first longest run of zeros of two or more is `::`.
  const runs = groups.map((_, at) => groups.slice(at).findIndex((group) => group !== 0))
  const lengths = runs.map((run, at) => (run < 0 ? groups.length - at : run))
  const longest = Math.max(...lengths)
  const from = lengths.indexOf(longest)
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':')
  const host = longest < 2 ? text(groups) : `${text(groups.slice(0, from))}::${text(groups.slice(from + longest))}`
  return bits === 128 ? host : `${host}/${bits}`
}

/** Linear in the list. */
export function isListed(list: AccessList, host: string): boolean {
  const groups = addressGroups(host)
  return groups !== null && list.some((block) => isIn(block, groups))
}

/** Whether a block has every address of a family. */
export function hasEverybody(list: AccessList): boolean {
  return list.some(({ groups, bits }) => bits === 0 || (bits === MAPPED_BITS && isMapped(groups)))
}

/** `::/0` is every IPv6 address; the IPv4 ones, which are mapped into it, are others. */
function isIn({ groups: first, bits }: Block, groups: readonly number[]): boolean {
  if (bits < MAPPED_BITS && isMapped(groups)) return false
  return first.every((group, i) => group === ((groups[i] ?? 0) & mask(bits, i)))
}

function isMapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
}

/** Of the group at that place, the bits that count. */
function mask(bits: number, place: number): number {
  const count = Math.min(16, Math.max(0, bits - place * 16))
  return (0xffff << (16 - count)) & 0xffff
}

function prefixLength(text: string): number | null {
  const length = Number(text)
  return text !== '' && String(length) === text && Number.isInteger(length) && length >= 0 ? length : null
}
