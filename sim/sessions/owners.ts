// What each owner of a history knows: the versions that it was shown, and its own writes.

import { unreachable } from '../../src/base/assert.ts'
import { isAccepted, versionOf } from './operation.ts'
import type { Operation, Question } from './operation.ts'
import type { Step } from './session-history.ts'

interface Owner {
  /** By session, the newest last; 0 = it was shown that there is none. */
  readonly shown: Map<string, number[]>
  readonly writes: Question[]
}

export class Owners {
  readonly #owners = new Map<string, Owner>()

  /** What the owner asks in this step; null = nothing: there is no write that could come again. */
  question(step: Step): Question | null {
    const owner = this.#owner(step.owner)
    if (step.kind === 'replay') return owner.writes.at(-1 - step.back) ?? null
    const { session } = step
    if (step.kind === 'get') return { kind: 'get', session }
    const request = `${step.owner}${owner.writes.length + 1}`
    const question = writeOf(step, owner, request)
    if (question.kind !== 'get') owner.writes.push(question)
    return question
  }

  /** The owner hears the answer. */
  learn(operation: Operation): void {
    const { owner, session, kind } = operation
    if (operation.returned === null) return
    const shown = versionOf(operation)
    if (shown !== null) this.#show(owner, session, shown)
    else if (kind === 'get' || (kind === 'delete' && isAccepted(operation))) this.#show(owner, session, 0)
  }

  #show(owner: string, session: string, version: number): void {
    const { shown } = this.#owner(owner)
    const versions = shown.get(session)
    if (versions === undefined) shown.set(session, [version])
    else if (versions.at(-1) !== version) versions.push(version)
  }

  #owner(name: string): Owner {
    const known = this.#owners.get(name)
    if (known !== undefined) return known
    const owner = { shown: new Map(), writes: [] }
    this.#owners.set(name, owner)
    return owner
  }
}

function writeOf(step: Exclude<Step, { readonly kind: 'replay' }>, owner: Owner, request: string): Question {
  const { session } = step
  const versions = owner.shown.get(session) ?? []
  switch (step.kind) {
    case 'get':
      return { kind: 'get', session }
    case 'put':
      return { kind: 'put', session, value: request, request }
    case 'compareAndPut':
      return {
        kind: 'compareAndPut',
        session,
        expected: versions.at(-1 - step.stale) ?? versions[0] ?? 0,
        value: request,
        request,
      }
    case 'delete': {
      const expected = versions.filter((version) => version > 0).at(-1 - step.stale)
      // Nothing to delete that it knows of: it looks.
      return expected === undefined ? { kind: 'get', session } : { kind: 'delete', session, expected, request }
    }
    default:
      return unreachable(step)
  }
}
