// What a call is in the log, as survivors tell it (`/calls/CALL-ID`), and what is wrong with that.

import type { ApplicationName, Turn } from './rows.ts'

interface Entity {
  readonly tree: string
  readonly id: string
  readonly version: number
  readonly value: Value
}

interface Value {
  readonly kind: string
  readonly state?: string
  readonly info?: unknown
  readonly hosted?: { readonly attributes: readonly { readonly name: string; readonly bytes: unknown }[] }
}

export interface CallState {
  readonly version: number
  readonly entities: readonly Entity[]
  readonly timers: readonly { readonly id: string }[]
  readonly intents: readonly unknown[]
}

/** A replica's answer; what it says instead, if it has none. */
export async function stateOf(admin: string, callId: string): Promise<CallState | string> {
  try {
    const response = await fetch(`http://${admin}/calls/${callId}`, { signal: AbortSignal.timeout(5_000) })
    const text = await response.text()
    return response.status === 200 ? (JSON.parse(text) as CallState) : `${response.status} ${text}`
  } catch (error) {
    return String(error)
  }
}

function attributeOf({ value }: Entity, name: string): unknown {
  return value.hosted?.attributes.find((one) => one.name === name)?.bytes
}

function ofKind({ entities }: CallState, kind: string): readonly Entity[] {
  return entities.filter(({ value }) => value.kind === kind)
}

/** The turns that the call's session says were committed. */
export function turnsOf(state: CallState): readonly (readonly [turn: string, version: number])[] {
  const [session] = ofKind(state, 'application-session')
  return session === undefined ? [] : ((attributeOf(session, 'turns') ?? []) as [string, number][])
}

/** In words; a call that is up, after those turns of its application. */
export function wrongWith(
  state: CallState,
  application: ApplicationName,
  expected: readonly Turn[],
): readonly string[] {
  const turns = turnsOf(state)
  const wrong: string[] = []
  const names = turns.map(([turn]) => turn)
  if (names.join() !== expected.join()) wrong.push(`turns ${names.join(', ')}, not ${expected.join(', ')}`)
  const [session] = ofKind(state, 'application-session')
  const versions = [...turns.map(([, version]) => version), session?.version ?? 0]
  if (versions.some((version, i) => i > 0 && version <= (versions[i - 1] ?? 0)))
    wrong.push(`versions ${versions.join(', ')} don't rise from turn to turn`)
  const legs = application === 'proxied' ? 1 : 2
  const sessions = ofKind(state, 'session')
  const confirmed = sessions.filter(({ value }) => value.state === 'CONFIRMED')
  if (sessions.length !== legs || confirmed.length !== legs)
    wrong.push(`${sessions.length} SipSessions, ${confirmed.length} confirmed, not ${legs}`)
  const dialogs = ofKind(state, application === 'proxied' ? 'dialog' : 'leg')
  if (dialogs.length !== legs || dialogs.some(({ value }) => value.state !== 'confirmed'))
    wrong.push(`dialogs ${dialogs.map(({ value }) => value.state).join(', ')}, not ${legs} that are confirmed`)
  if (application === 'two-legs' && sessions.some((leg) => attributeOf(leg, 'turn') !== expected.at(-1)))
    wrong.push(
      `legs ${sessions.map((leg) => String(attributeOf(leg, 'turn'))).join(', ')}, not both ${expected.at(-1)}`,
    )
  const left = ofKind(state, 'timer').map(({ value }) => String(value.info))
  const due = state.timers.filter(({ id }) => id.startsWith('t.'))
  if (left.join() !== 'patience' || due.length !== 1)
    wrong.push(`timers ${left.join(', ')}, ${due.length} of them due, not patience alone`)
  const callbacks = state.intents.length
  if (callbacks > 0) wrong.push(`${callbacks} intents are open`)
  return wrong
}
