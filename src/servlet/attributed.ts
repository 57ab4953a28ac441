// What SipApplicationSession and SipSession have in common: attributes, versions, and whether they go by themselves.

import type { Attribute, AttributeValue } from '../app/contract.ts'
import { AttributeMap } from './attributes.ts'
import type { HandlerTurn } from './handler-turn.ts'

interface AttributedView {
  readonly attributes: readonly Attribute[]
  readonly invalidateWhenReady: boolean
  readonly version: number
}

export abstract class Attributed {
  protected readonly turn: HandlerTurn
  readonly version: number
  /** As operations name it: id of the SipSession; '' = the application session. */
  readonly #of: string
  readonly #attributes: AttributeMap
  #goesWhenReady: boolean

  constructor(turn: HandlerTurn, of: string, { attributes, invalidateWhenReady, version }: AttributedView) {
    this.turn = turn
    this.version = version
    this.#of = of
    this.#attributes = new AttributeMap(turn, of, attributes)
    this.#goesWhenReady = invalidateWhenReady
  }

  /** Throws once it is invalidated. */
  abstract check(): void

  get invalidateWhenReady(): boolean {
    this.check()
    return this.#goesWhenReady
  }

  set invalidateWhenReady(value: boolean) {
    this.check()
    this.turn.record({ kind: 'set-invalidate-when-ready', of: this.#of, value })
    this.#goesWhenReady = value
  }

  getAttribute(name: string): AttributeValue | undefined {
    this.check()
    return this.#attributes.get(name)
  }

  setAttribute(name: string, value: AttributeValue): void {
    this.check()
    this.#attributes.set(name, value)
  }

  removeAttribute(name: string): void {
    this.check()
    this.#attributes.remove(name)
  }

  get attributeNames(): readonly string[] {
    this.check()
    return this.#attributes.names
  }

  expectVersion(version: number): void {
    this.check()
    this.turn.record({ kind: 'expect-version', of: this.#of, version })
  }
}
