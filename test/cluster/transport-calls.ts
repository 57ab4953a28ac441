// The same calls over any transport: answered, a replica killed, ended from either side; then nothing is left. Phones whose
// connection died with the replica make another one (transport resets), and their calls go on.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeAuthority } from '../../src/host/testing/certificates.ts'
import { until } from './poll.ts'
import { launchSet } from './replica-set.ts'
import type { Place, ReplicaSet } from './replica-set.ts'
import { Callee, Caller } from './script-phones.ts'
import type { World } from './script-phones.ts'
import type { Speaks } from './wires.ts'

const CALLS = 12

export interface Played {
  /** The final answers to the BYEs, in the order of the calls. */
  readonly byes: readonly number[]
  /** Connections of callers that died with the replica. */
  readonly resets: number
}

/** What a played scene has to come to. */
export const allEnded: readonly number[] = Array.from({ length: CALLS }, () => 200)

/** `at.sip` and `at.callee` are served by that transport alone. */
export async function playTransportCalls(by: Speaks, at: Place): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-transport-'))
  const authority = makeAuthority()
  const [setHost, calleeHost] = [at.sip, at.callee].map(hostOf) as [string, string]
  const own = authority.issue({ names: [setHost] })
  const trust = { ca: authority.cert, ...authority.issue({ names: [calleeHost] }) }
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const tls = [
    '--tls-cert',
    file('set.pem', own.cert),
    '--tls-key',
    file('set.key', own.key),
    '--tls-ca',
    file('ca.pem', authority.cert),
  ]
  const world: World = { by, set: at.sip, callee: at.callee, from: hostOf(at.caller), trust }
  const callee = new Callee(world)
  const callers = Array.from({ length: CALLS }, (_, i) => new Caller(`${by}-${i}`, world))
  let set: ReplicaSet | null = null
  try {
    set = launchSet({
      place: { ...at, sip: `${at.sip};transport=${by}` },
      nextHop: `${at.callee};transport=${by}`,
      extra: by === 'tls' ? tls : [],
    })
    await set.event('ready', 60_000, ({ event }) => event === 'ready')
    await callee.open()
    return await play(set, callee, callers)
  } catch (error) {
    if (error instanceof Error && set !== null) error.message += `\n${set.stderr().slice(-6_000)}`
    throw error
  } finally {
    for (const caller of callers) caller.end()
    callee.end()
    await set?.destroy()
    rmSync(folder, { recursive: true })
  }
}

async function play(set: ReplicaSet, callee: Callee, callers: readonly Caller[]): Promise<Played> {
  await Promise.all(callers.map((caller) => caller.connect()))
  await Promise.all(callers.map((caller) => caller.call()))
  await until('all calls are acknowledged', 60_000, () => (callee.acknowledged === CALLS ? true : null))
  await set.statuses('all calls are up', 60_000, ({ calls }) => calls.confirmed === CALLS)

  set.kill(set.leader)
  const ends = callers.map(async (caller, i) => {
    if (i % 2 === 0) return caller.hangUp()
    const status = await callee.hangUp(caller.name)
    await caller.isHungUp()
    return status
  })
  const byes = await Promise.all(ends)
  await set.statuses('no call is left', 60_000, ({ calls, serving }) => {
    return calls.confirmed === 0 && calls.early === 0 && serving.length >= 2
  })
  return { byes, resets: callers.reduce((sum, { reconnects }) => sum + reconnects, 0) }
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replaceAll(/[[\]]/g, '')
}
