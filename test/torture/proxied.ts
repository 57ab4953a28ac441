// One message of RFC 4475 or 5118 on the way that a replica takes it: parsed, validated (16.3), and, if it gets so far, the
// owner's turn of its group. The fuzzer (test/fuzz/) takes it too.

import { readFileSync } from 'node:fs'
import { latin1Text } from '../../src/base/bytes.ts'
import { hashKey } from '../../src/base/hash.ts'
import { instant, stamp } from '../../src/base/instant.ts'
import type { CallContext, NextHop, Outgoing } from '../../src/call/contract.ts'
import { loadGroup, stepGroup } from '../../src/call/group.ts'
import { receive } from '../../src/call/receive.ts'
import type { Flow } from '../../src/wire/entry.ts'

/** Where the message came from: its sent-by says otherwise. */
export const SOURCE = { host: '192.0.2.99', port: 4242 } as const
export const NEXT_HOP: NextHop = { host: '192.0.2.200', port: 5060, transport: 'udp' }
export const SET = '192.0.2.250'
const KEY = hashKey(new Uint8Array(16).fill(3))

export type Outcome =
  | { readonly kind: 'forwarded'; readonly to: string; readonly text: string }
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly reason: string
      readonly to: string
      readonly text: string
    }
  | { readonly kind: 'dropped' }

/** The bytes of a message, latin1: `rfc4475/wsinv`. */
export function torture(name: string): string {
  return latin1Text(readFileSync(new URL(`${name}.dat`, import.meta.url)))
}

export interface World {
  /** The set's own address, with port 5060. */
  readonly set?: string
  readonly nextHop?: NextHop | null
}

/** What the proxy does with the bytes. */
export function proxied(text: string, world: World = {}): Outcome {
  const ctx: CallContext = {
    now: instant(0),
    cluster: stamp(0),
    settings: {
      sip: { host: world.set ?? SET, port: 5060 },
      nextHop: world.nextHop === undefined ? NEXT_HOP : world.nextHop,
    },
    keys: { current: 1, at: () => 1, key: (generation) => (generation === 1 ? KEY : null) },
    format: 2,
    acceptsCalls: true,
    keepsRelays: true,
    view: () => null,
    counter: () => 0,
    admit: () => 'admit',
  }
  const flow = sourceOf(text)
  const received = receive(text, flow, ctx)
  switch (received.kind) {
    case 'drop':
      return { kind: 'dropped' }
    case 'answer':
      return outcome(received.sends)
    case 'group': {
      const input = { kind: 'message', message: received.message, flow, ref: 1 } as const
      const result = stepGroup(loadGroup(received.group, null, null), input, ctx)
      return outcome([...result.sends, ...result.after])
    }
  }
}

/** On the transport that the topmost Via names; a stream for all but UDP. */
function sourceOf(text: string): Flow {
  const transport = /^v(?:ia)?\s*:\s*SIP\s*\/\s*\d\.0\s*\/\s*(\w+)/im.exec(text)?.[1]
  return transport === 'UDP'
    ? { transport: 'udp', ...SOURCE, stream: '' }
    : { transport: 'tcp', ...SOURCE, stream: '1/1' }
}

/** The first thing that left decides; after a forwarded INVITE comes its 100. */
function outcome(sends: readonly Outgoing[]): Outcome {
  const first = sends[0]
  if (first === undefined) return { kind: 'dropped' }
  const { data: text, flow } = first
  const to = `${flow.transport} ${flow.host}:${flow.port}`
  const line = /^SIP\/2\.0 (\d{3}) (.*)\r\n/.exec(text)
  if (line === null) return { kind: 'forwarded', to, text }
  return { kind: 'answered', status: Number(line[1]), reason: line[2] ?? '', to, text }
}
