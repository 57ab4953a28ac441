// Plays a history at a store, and writes down what each owner asked and was answered.

import type fc from 'fast-check'
import { ask, isLater, operationOf } from './operation.ts'
import type { Operation } from './operation.ts'
import { Owners } from './owners.ts'
import { tellStep } from './session-history.ts'
import type { SessionHistory, Step } from './session-history.ts'
import type { AsyncVersionedStore, VersionedStore } from './versioned-store.ts'

/** Who looks at every session when all is done. */
const reader = 'reader'

/** Plays the steps one after another, and then reads every session. */
export function playInOrder({ steps }: SessionHistory, store: VersionedStore): readonly Operation[] {
  const owners = new Owners()
  const operations: Operation[] = []
  for (const step of [...steps, ...lastLooks(steps)]) {
    const question = owners.question(step)
    if (question === null) continue
    const outcome = ask(store, question)
    if (isLater(outcome)) {
      throw new TypeError(`${question.kind} answered with a promise: play this store with playConcurrently`)
    }
    const at = operations.length * 2
    const operation = operationOf(step.owner, question, at, at + 1, outcome)
    owners.learn(operation)
    operations.push(operation)
  }
  return operations
}

/** Plays each owner's steps in order and all owners at the same time, and then reads every session. With a scheduler
 * (`fc.scheduler()`) that decides who goes next: wrap what your store waits for in `scheduler.scheduleFunction`, and it
 * decides there too. */
export async function playConcurrently(
  { steps }: SessionHistory,
  store: AsyncVersionedStore,
  scheduler?: fc.Scheduler,
): Promise<readonly Operation[]> {
  const owners = new Owners()
  const operations: Operation[] = []
  let clock = 0
  const take = async (step: Step): Promise<void> => {
    if (scheduler !== undefined) await scheduler.schedule(Promise.resolve(), tellStep(step))
    const question = owners.question(step)
    if (question === null) return
    const called = clock++
    const outcome = await ask(store, question)
    const operation = operationOf(step.owner, question, called, clock++, outcome)
    owners.learn(operation)
    operations.push(operation)
  }
  const live = async (owner: string): Promise<void> => {
    for (const step of steps) if (step.owner === owner) await take(step)
  }
  const done = async (): Promise<void> => {
    await Promise.all(namesOf(steps).map(live))
    for (const step of lastLooks(steps)) await take(step)
  }
  await (scheduler === undefined ? done() : scheduler.waitFor(done()))
  return operations
}

function namesOf(steps: readonly Step[]): readonly string[] {
  return [...new Set(steps.map(({ owner }) => owner))].sort()
}

function lastLooks(steps: readonly Step[]): readonly Step[] {
  const sessions = new Set(steps.flatMap((step) => (step.kind === 'replay' ? [] : [step.session])))
  return [...sessions].sort().map((session) => ({ kind: 'get', owner: reader, session }))
}
