// The next hops of a simulated set: whoever is called stands behind one of them, the first of a fork behind the first. A registrar is
// there, too.

import type { Edge } from './edge.ts'
import { doorOf, nameOfDoor } from './forks.ts'
import { framed } from './phones/framing.ts'
import { branchOf, callIdOf, readMessage, tagOf } from './phones/message.ts'
import type { Message, RequestMessage } from './phones/message.ts'
import { answersNonsense } from './phones/nonsense.ts'
import type { Phone } from './phones/phone.ts'
import type { Origin } from './phones/transport.ts'
import type { SipNetwork, SocketAddress } from './sip-network.ts'
import type { PhoneEnd, PhoneReceiver, StreamNetwork } from './stream-network.ts'

interface DoorWorld {
  readonly sip: SipNetwork
  readonly streams: StreamNetwork
  readonly edge: Edge | null
  readonly set: SocketAddress
  readonly forks: string
  /** The calls are of a user's applications, which call whom they like. */
  readonly isOwn: boolean
  /** More come. */
  readonly phones: readonly Phone[]
  broken(promise: string, text: string): void
}

export class Doors {
  readonly #world: DoorWorld
  /** By Call-ID and door. */
  readonly #callees = new Map<string, Phone>()
  /** The door of a name that each branch came to. */
  readonly #places = new Map<string, number>()

  constructor(world: DoorWorld) {
    this.#world = world
  }

  /** Behind that door, that Call-ID is for this phone. */
  leadTo(phone: Phone, callId: string, ordinal: number): void {
    this.#callees.set(`${callId} ${ordinal}`, phone)
  }

  takeStreams(ordinal: number): void {
    this.#world.streams.listen(doorOf(ordinal), (end) => this.#acceptAtDoor(end, ordinal))
  }

  /** A next hop of all calls. The first one takes connections only if some callee there does. */
  open(ordinal: number): void {
    const at = doorOf(ordinal)
    this.#world.sip.attachPhone(at, (data, from) => this.#atDoor(data, { from, at, end: null }, ordinal))
    if (ordinal > 1) this.takeStreams(ordinal)
  }

  /** A callee for each Call-ID. */
  #atDoor(data: string, origin: Origin, ordinal: number): void {
    if (answersNonsense(data)) return
    const message = readMessage(data)
    if (typeof message !== 'string' && message.kind === 'request' && message.method === 'REGISTER')
      return this.#atRegistrar(message, origin)
    if (typeof message !== 'string') this.#calleeAt(message, ordinal)?.receive(data, origin)
    if (typeof message === 'string')
      this.#world.broken('sip', `what reached the next hop is no SIP message: ${message}`)
  }

  #atRegistrar(register: RequestMessage, { from, at, end }: Origin): void {
    const answer = this.#world.edge?.register(register) ?? ''
    if (end === null) this.#world.sip.fromPhone(at, from, answer)
    else end.send(answer)
  }

  /** Who takes what comes to a door. An ACK has no answer, so it goes to the first place of its name alone: whoever stands there
   * passes it on to whom it is for. What is tried at another place is another transaction (RFC 3263 4.3). */
  #calleeAt(message: Message, ordinal: number): Phone | undefined {
    const calleeOf = (door: number): Phone | undefined => this.#callees.get(`${callIdOf(message)} ${door}`)
    if (this.#world.isOwn) return calleeOf(ordinal) ?? this.#calledBy(message)
    const name = nameOfDoor(this.#world.forks, ordinal)
    if (name === null || message.kind !== 'request' || message.method === 'CANCEL') return calleeOf(ordinal)
    if (message.method === 'ACK') {
      const answered = name.doors.find((door) => calleeOf(door)?.tag === tagOf(message, 'to'))
      return calleeOf(answered ?? ordinal)
    }
    const branch = branchOf(message)
    const place = this.#places.get(branch) ?? ordinal
    this.#places.set(branch, place)
    if (place !== ordinal) this.#world.broken('C4', `branch ${branch} is used at doors ${place} and ${ordinal}`)
    return calleeOf(ordinal)
  }

  /** A leg of a user's application: the first phone of that name that nobody has called yet. */
  #calledBy(message: Message): Phone | undefined {
    if (message.kind !== 'request' || message.method !== 'INVITE' || tagOf(message, 'to') !== null) return undefined
    const user = /^sips?:([^@;]+)@/.exec(message.uri)?.[1]
    const phone = this.#world.phones.find((one) => {
      return one.side === 'callee' && one.options.flow.calleePresent && !one.started && one.user === user
    })
    if (phone !== undefined) this.leadTo(phone, callIdOf(message), 1)
    return phone
  }

  #acceptAtDoor(end: PhoneEnd, ordinal: number): PhoneReceiver {
    const origin = { from: this.#world.set, at: doorOf(ordinal), end }
    return framed(
      (text) => this.#atDoor(text, origin, ordinal),
      (problem) => this.#world.broken('sip', `what reached the next hop is no stream of SIP: ${problem}`),
    )
  }
}
