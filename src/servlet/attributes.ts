// The attributes of one session, as the turn has them.

import { appLimits } from '../app/limits.ts'
import type { Attribute, AttributeValue } from '../app/contract.ts'
import { frozenCopy, handOut, keptCopy } from './attribute.ts'
import type { HandlerTurn } from './handler-turn.ts'

export class AttributeMap {
  readonly #turn: HandlerTurn
  /** Id of the SipSession; '' = the application session. */
  readonly #of: string
  readonly #values = new Map<string, AttributeValue>()

  constructor(turn: HandlerTurn, of: string, attributes: readonly Attribute[]) {
    this.#turn = turn
    this.#of = of
    for (const { name, value } of attributes) this.#values.set(name, frozenCopy(value, name))
  }

  get names(): readonly string[] {
    return [...this.#values.keys()].sort()
  }

  get(name: string): AttributeValue | undefined {
    const value = this.#values.get(name)
    return value === undefined ? undefined : handOut(value)
  }

  set(name: string, value: unknown): void {
    if (typeof name !== 'string' || name === '' || name.length > appLimits.name) {
      throw new TypeError(`the name of an attribute is a text of 1 to ${appLimits.name} characters`)
    }
    if (value === undefined) {
      throw new TypeError(`the attribute ${name} can't be undefined: removeAttribute('${name}') takes it away`)
    }
    const kept = keptCopy(value, `the attribute ${name}`)
    this.#turn.record({ kind: 'set-attribute', of: this.#of, name, value: kept })
    this.#values.set(name, kept)
  }

  remove(name: string): void {
    this.#turn.checkOpen()
    if (!this.#values.delete(name)) return
    this.#turn.record({ kind: 'remove-attribute', of: this.#of, name })
  }
}
