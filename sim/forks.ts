// Where a set's INVITEs go, as plans and flows name it: `1,2|3t` = the first and the second callee at once, then, if neither takes
// the call, the third, which is called on TCP. Each has a door of its own: a next hop.
//
//   1:2      one name, for which DNS has two places: the first callee's door, then the second's
//   1>2&3~4  the first one answers with a 3xx that names the second and the third, and by a lower q the fourth
//   1>2>3    the second one does so, too

import type { NextHop, NextHops } from '../src/call/contract.ts'
import type { Located, Place } from '../src/proxy/locate.ts'
import type { Transport } from './ladder.ts'
import { nameOf } from './sip-network.ts'
import type { SocketAddress } from './sip-network.ts'

interface Door {
  /** Which callee of its call, from 1. */
  readonly ordinal: number
  /** null = the transport that the caller came on. */
  readonly transport: Transport | null
}

interface ForkTarget {
  /** Its places, if it is a name; else one. */
  readonly places: readonly Door[]
  /** Whom those of one level name, for the next one: groups of equal q. */
  readonly levels: readonly (readonly (readonly Door[])[])[]
}

function readForks(text: string): readonly (readonly ForkTarget[])[] {
  return text.split('|').map((group) => group.split(',').map(readTarget))
}

function readTarget(text: string): ForkTarget {
  const [first = '', ...levels] = text.split('>')
  return {
    places: first.split(':').map(readDoor),
    levels: levels.map((level) => level.split('~').map((equals) => equals.split('&').map(readDoor))),
  }
}

function readDoor(word: string): Door {
  return { ordinal: Number.parseInt(word, 10), transport: word.endsWith('t') ? 'tcp' : null }
}

/** The next hop of each call's callee of that ordinal. */
export function doorOf(ordinal: number): SocketAddress {
  return { host: `10.2.0.${ordinal}`, port: 5070 }
}

/** What the set is told. */
export function nextHopsOf(forks: string): NextHops {
  return readForks(forks).map((group) => group.map(({ places }) => nextHopOf(places)))
}

function nextHopOf(places: readonly Door[]): NextHop {
  const [first] = places
  if (places.length > 1 || first === undefined) return { host: hostOf(places), port: 0, transport: null }
  return { ...doorOf(first.ordinal), transport: first.transport }
}

function hostOf(places: readonly Door[]): string {
  return `doors-${places.map(({ ordinal }) => ordinal).join('-')}.sim`
}

/** What DNS says of such a name: its doors, on UDP, in their order. */
export function locatedAt({ host }: Place): Located {
  const [, doors] = /^doors-([0-9-]+)\.sim$/.exec(host) ?? []
  if (doors === undefined) return { kind: 'none' }
  const candidates = doors.split('-').map((ordinal, priority) => {
    const door = doorOf(Number(ordinal))
    return { transport: 'udp', order: 0, priority, weight: 0, port: door.port, addresses: [door.host] } as const
  })
  return { kind: 'found', candidates }
}

/** Of any name, in a user's simulation: the door of all phones. */
export function atTheDoor(): Located {
  const door = doorOf(1)
  const candidate = {
    transport: 'udp',
    order: 0,
    priority: 0,
    weight: 0,
    port: door.port,
    addresses: [door.host],
  } as const
  return { kind: 'found', candidates: [candidate] }
}

/** On what each callee is called, the first one's first. */
export function calledOn(forks: string, caller: Transport): readonly Transport[] {
  const on = new Map<number, Transport>()
  for (const { places, levels } of readForks(forks).flat()) {
    // Who is named by a 3xx without a transport is called by that of who named it.
    let side = caller
    for (const doors of [places, ...levels.map((level) => level.flat())]) {
      for (const { ordinal, transport } of doors) if (!on.has(ordinal)) on.set(ordinal, transport ?? side)
      side = doors[0]?.transport ?? side
    }
  }
  return [...on].sort(([a], [b]) => a - b).map(([, transport]) => transport)
}

/** Whether DNS has several places for some target. */
export function hasPlaces(forks: string): boolean {
  return forks.includes(':')
}

/** Whether the set follows what its next hops answer. */
export function redirects(forks: string): boolean {
  return forks.includes('>')
}

/** The Request-URI that a 3xx makes of a callee. */
function redirectUri({ ordinal, transport }: Door): string {
  return `sip:callee@${nameOf(doorOf(ordinal))}${transport === null ? '' : `;transport=${transport}`}`
}

/** The URIs by which redirections name that callee. */
export function redirectUris(forks: string, ordinal: number): readonly string[] {
  const doors = readForks(forks)
    .flat()
    .flatMap(({ levels }) => levels.flat(2))
  return doors.filter((door) => door.ordinal === ordinal).map(redirectUri)
}

/** The Contacts of that callee's 3xx. */
export function contactsOf(forks: string, ordinal: number): readonly string[] {
  for (const { places, levels } of readForks(forks).flat()) {
    const all = [[places], ...levels]
    const at = all.findIndex((level) => level.flat().some((door) => door.ordinal === ordinal))
    const next = at < 0 ? undefined : all[at + 1]
    if (next === undefined) continue
    return next.flatMap((equals, i) => {
      const q = next.length === 1 ? '' : `;q=0.${9 - i}`
      return equals.map((door) => `<${redirectUri(door)}>${q}`)
    })
  }
  return []
}

/** The callees that stand behind one name with that one, and the name; null = it is called by its address. */
export function nameOfDoor(
  forks: string,
  ordinal: number,
): { readonly host: string; readonly doors: readonly number[] } | null {
  const target = readForks(forks)
    .flat()
    .find(({ places }) => places.length > 1 && places.some((door) => door.ordinal === ordinal))
  if (target === undefined) return null
  return { host: hostOf(target.places), doors: target.places.map((door) => door.ordinal) }
}
