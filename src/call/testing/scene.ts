// A ladder with a caller and a callee, brought to where a scenario begins.

import { must } from '../../base/assert.ts'
import type { Transport } from '../../sip/transport.ts'
import { Ladder } from './ladder.ts'
import { calleeLeg, callerLeg, inDialog, phone, request, response } from './phone.ts'
import type { Leg, Phone } from './phone.ts'
import type { FormatNumber } from '../../wire/formats.ts'
import type { Lifetime } from '../contract.ts'

export interface Scene {
  readonly ladder: Ladder
  readonly caller: Phone
  readonly callee: Phone
  /** The INVITE as the caller sent it and as the callee got it. */
  readonly sent: string
  readonly invite: string
}

export interface SceneOptions {
  readonly callerStream?: string
  readonly calleeStream?: string
  readonly transport?: 'udp' | 'tcp' | null
  readonly body?: string
  /** Left out: UDP and TCP. */
  readonly by?: Transport
  /** What the set writes; the newest unless said. */
  readonly format?: FormatNumber
  readonly lifetime?: Lifetime
  readonly hosts?: readonly [set: string, caller: string, callee: string]
}

const HOSTS = ['127.31.0.1', '127.31.0.2', '127.31.0.3'] as const

/** An INVITE is on its way: committed, forwarded, 100 sent. The lines so far are taken. */
export function calling(options: SceneOptions = {}): Scene {
  const [set, callerHost, calleeHost] = options.hosts ?? HOSTS
  const caller = phone('caller', callerHost, 5062, options.callerStream ?? '')
  const callee = phone('callee', calleeHost, 5064, options.calleeStream ?? '')
  const nextHop = { host: calleeHost, port: 5064, transport: options.transport ?? null }
  const by = options.by === undefined ? {} : { listeners: [{ transport: options.by, host: set, port: 5060 }] }
  const lifetime = options.lifetime === undefined ? {} : { lifetime: options.lifetime }
  const ladder = new Ladder({ sip: { host: set, port: 5060, ...by }, nextHop, ...lifetime }, [caller, callee])
  ladder.format = options.format ?? ladder.format
  const reference = set.includes(':') ? `[${set}]` : set
  const sent = request(caller, 'INVITE', `sip:callee@${reference}:5060`, { body: options.body ?? '' })
  ladder.say(caller, sent)
  ladder.take()
  return { ladder, caller, callee, sent, invite: must(ladder.sent[0], 'the INVITE').data }
}

export function ringing(options: SceneOptions = {}): Scene {
  const scene = calling(options)
  scene.ladder.say(scene.callee, response(scene.callee, scene.invite, 180))
  scene.ladder.take()
  return scene
}

export interface Talk extends Scene {
  readonly callerLeg: Leg
  readonly calleeLeg: Leg
}

/** Answered and acknowledged. */
export function talking(options: SceneOptions = {}): Talk {
  const scene = ringing(options)
  const { ladder, caller, callee, invite } = scene
  ladder.say(callee, response(callee, invite, 200))
  const leg = callerLeg(ladder.last(caller, '200 INVITE'))
  ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
  ladder.take()
  return { ...scene, callerLeg: leg, calleeLeg: calleeLeg(callee, invite) }
}
