// The npm package `sip` as phones: callers with a connection each, a callee. Also what stands on both sides of the other proxies.

import { createRequire } from 'node:module'
import { must } from '../../src/base/assert.ts'
import { inArena } from './arena.ts'
import type { Arena, Transport } from './arena.ts'
import { playCalls } from './play.ts'
import type { Call, Phones } from './play.ts'
import type { Side, Software } from './software.ts'
import { StackPhone } from './stack-phone.ts'

const CALLERS = 3

export function stackSoftware(by: Transport, slot: number): Software {
  return {
    ...{ name: 'sip', role: 'caller and callee', transport: by, slot },
    missing: () => null,
    version: () => stackVersion(),
    run: (slot) => {
      const at = `127.0.0.1:${firstPort(slot)}`
      return inArena(slot, `${at};transport=${by}`, (arena) => {
        const phones = stackPhones(arena, { by, towards: arena.sip(by), callee: { by, at } })
        return playCalls(arena, phones, { answered: 9, ringing: 6 })
      })
    },
  }
}

// The package doesn't bind what it connects by: its phones are at the address that such a connection has, so that they can be
// called back there (18.2.2). Ports are theirs alone.
export function firstPort(slot: number): number {
  return 20_000 + 10 * slot
}

function stackVersion(): string {
  return (createRequire(import.meta.url)('sip/package.json') as { readonly version: string }).version
}

interface Ends {
  /** Of the callers. */
  readonly by: Transport
  /** Where they call to. */
  readonly towards: string
  readonly callee: { readonly by: Transport; readonly at: string }
}

export function stackPhones(arena: Arena, { by, towards, callee: { by: calleeBy, at } }: Ends): Phones {
  const phone = (by: Transport, host: string, port: number): StackPhone => {
    const made = new StackPhone({ host, port, by, tls: { ...arena.issue(host), ca: arena.trusted } })
    arena.atEnd(() => made.close())
    return made
  }
  const [calleeHost, calleePort] = at.split(':') as [string, string]
  const callee = phone(calleeBy, calleeHost, Number(calleePort))
  const callers = Array.from({ length: CALLERS }, (_, i) => phone(by, '127.0.0.1', firstPort(arena.slot) + 1 + i))
  let made = 0
  return {
    async ring(name) {
      const caller = must(callers[made++ % CALLERS], 'a caller')
      await caller.ring(name, `sip:callee@${towards}${by === 'udp' ? '' : `;transport=${by}`}`)
      return stackCall(name, caller, callee, calleeBy === 'udp' ? null : at)
    },
  }
}

function stackCall(name: string, caller: StackPhone, callee: StackPhone, calleeStream: string | null): Call {
  const [end, other] = [
    { caller, callee },
    { caller: callee, callee: caller },
  ]
  let asked = 0
  return {
    name,
    async answer() {
      await callee.answer(name)
      await caller.isUp(name)
    },
    // Each side asks by each method, in turns.
    ask: (side) => end[side].ask(name, Math.floor(asked++ / 2) % 2 === (side === 'caller' ? 0 : 1) ? 'INVITE' : 'INFO'),
    async hangUp(side: Side) {
      const status = await end[side].ask(name, 'BYE')
      await other[side].isOver(name)
      return status
    },
    isCut({ held, connections }) {
      const { from } = callee.inviteOf(name)
      const cameBy = `${calleeStream} ${from?.address}:${from?.port}`
      return connections.has(cameBy) || (held > 0 && caller.inviteOf(name).failure === 'its connection is gone')
    },
  }
}
