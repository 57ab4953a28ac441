// What a user's checks are shown of a run: the sessions as they are committed, and what each phone said and heard.

import { unpackValue } from '../../src/app/packed.ts'
import type { AttributeValue } from '../../src/app/contract.ts'
import type { GroupKey } from '../../src/base/brand.ts'
import { entityValue } from '../../src/call/entities.ts'
import type { PackedAttribute } from '../../src/session/attributes.ts'
import type { Store } from '../../src/store/store.ts'
import type { Applied } from '../../src/store/view.ts'
import { cseqOf, printMessage } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { CommittedSession, CommittedSipSession, PhoneMessage, SimulatedPhone } from './definition.ts'

const second = 1_000_000

export class Chronicle {
  readonly #now: () => number
  readonly #onCommitted: (session: CommittedSession, before: CommittedSession | null) => void
  /** By group: the session that it has now. */
  readonly #current = new Map<GroupKey, CommittedSession>()
  /** By id, in the order of their first commits. */
  readonly #sessions = new Map<string, CommittedSession>()
  readonly #messages = new Map<Phone, Map<string, PhoneMessage>>()

  constructor(now: () => number, onCommitted: (session: CommittedSession, before: CommittedSession | null) => void) {
    this.#now = now
    this.#onCommitted = onCommitted
  }

  get sessions(): readonly CommittedSession[] {
    return [...this.#sessions.values()]
  }

  applied(applied: Applied, store: Store): void {
    if (applied.kind !== 'commit' || applied.outcome !== 'accepted') return
    const { group } = applied.commit
    const session = sessionOf(group, store, this.#now())
    const before = this.#current.get(group)
    if (session === null) {
      // It is gone with its group.
      if (before?.isValid === true)
        this.#note({ ...before, isValid: false, sessions: [], timers: [], at: this.#now() / second }, before)
      this.#current.delete(group)
      return
    }
    this.#current.set(group, session)
    if (before?.id !== session.id) this.#note(session, null)
    else if (before.version !== session.version || !isSame(before, session)) this.#note(session, before)
  }

  phone(phone: Phone, user: string): SimulatedPhone {
    const messages = [...(this.#messages.get(phone)?.values() ?? [])]
    return { user, callId: phone.callId, status: phone.firstFinal, messages }
  }

  said(phone: Phone, message: Message): void {
    this.#add(phone, 'said', message, printMessage(message))
  }

  heard(phone: Phone, message: Message, text: string): void {
    this.#add(phone, 'heard', message, text)
  }

  #note(session: CommittedSession, before: CommittedSession | null): void {
    this.#sessions.set(session.id, session)
    this.#onCommitted(session, before)
  }

  #add(phone: Phone, way: PhoneMessage['way'], message: Message, text: string): void {
    const { method } = cseqOf(message)
    const what = message.kind === 'request' ? message.method : `${message.status} ${method}`
    const messages = this.#messages.get(phone) ?? new Map<string, PhoneMessage>()
    this.#messages.set(phone, messages)
    const key = `${way} ${text}`
    if (!messages.has(key)) messages.set(key, { at: this.#now() / second, way, what, text })
  }
}

/** A commit of the group that left the session as it was, as far as it is shown. */
function isSame(a: CommittedSession, b: CommittedSession): boolean {
  const shown = ({ isValid, sessions, timers }: CommittedSession): string =>
    JSON.stringify([
      isValid,
      sessions.map(({ id, state, isValid }) => [id, state, isValid]),
      timers.map(({ id }) => id),
    ])
  return shown(a) === shown(b)
}

function sessionOf(group: GroupKey, store: Store, now: number): CommittedSession | null {
  let found: { application: string; created: number; key: string | null; isValid: boolean; version: number } | null =
    null
  let attributes: ReadonlyMap<string, AttributeValue> = new Map()
  const sessions: CommittedSipSession[] = []
  const timers: CommittedSession['timers'][number][] = []
  for (const entity of store.group(group)?.entities ?? []) {
    const value = entityValue(entity)
    if (value.kind === 'application-session' && value.hosted !== null) {
      const { applicationName: application, created, hosted } = value
      found = { application, created, key: hosted.key, isValid: hosted.isValid, version: entity.version }
      attributes = valuesOf(hosted.attributes)
    } else if (value.kind === 'session' && value.hosted !== null) {
      const { state, callId, hosted } = value
      sessions.push({ id: entity.id, callId, state, isValid: hosted.isValid, attributes: valuesOf(hosted.attributes) })
    } else if (value.kind === 'timer') timers.push({ id: entity.id, info: unpackValue(value.info) })
  }
  if (found === null) return null
  const { created, ...rest } = found
  return {
    ...rest,
    id: `${group}.${created}`,
    attributes,
    getAttribute: <T extends AttributeValue>(name: string) => attributes.get(name) as T | undefined,
    sessions,
    timers,
    at: now / second,
  }
}

function valuesOf(attributes: readonly PackedAttribute[]): ReadonlyMap<string, AttributeValue> {
  return new Map(attributes.map(({ name, bytes }) => [name, unpackValue(bytes)]))
}
