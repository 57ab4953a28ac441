// A model: something simple that a part of the product must agree with, and how a difference is looked for.

import fc from 'fast-check'

export type ModelName = 'log' | 'progress' | 'quorum' | 'configurations' | 'crash images'

export interface Search {
  readonly seed: number
  readonly runs: number
  /** Whether the counterexample is made small, which takes longer than to find it. */
  readonly shrinks: boolean
}

export interface Model {
  readonly key: ModelName
  /** What is promised. */
  readonly name: string
  /** Looks for a difference; what it found, or null. */
  find(search: Search): Promise<string | null>
}

export class Difference extends Error {
  override name = 'Difference'
}

/** What the model says, and what came. */
export function same(what: string, expected: unknown, found: unknown): void {
  const [wanted, got] = [JSON.stringify(expected), JSON.stringify(found)]
  if (wanted !== got) throw new Difference(`${what} is ${got}, by the model ${wanted}`)
}

export function holds(what: string, is: boolean): void {
  if (!is) throw new Difference(what)
}

/** Runs walks of commands. `start`: the product's part and the model's, new for each walk. */
export async function findByWalks<Plain extends object, Real>(
  commands: fc.Arbitrary<fc.Command<Plain, Real>>[],
  start: () => { model: Plain; real: Real },
  { seed, runs, shrinks }: Search,
): Promise<string | null> {
  const walks = fc.commands(commands, { maxCommands: 60, size: 'max' })
  return findIn(
    fc.property(walks, (walk) => fc.modelRun(start, walk)),
    { seed, runs, shrinks },
  )
}

export async function findIn<Drawn>(
  property: fc.IRawProperty<Drawn>,
  { seed, runs, shrinks }: Search,
): Promise<string | null> {
  const result = await fc.check(property, { seed, numRuns: runs, endOnFailure: !shrinks })
  if (!result.failed) return null
  const { errorInstance, counterexample } = result
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  return `${why}\n${fc.stringify(counterexample)}`
}

/** A command that may always be run: it does what it can. `name` is shown in a counterexample. */
export function command<Plain extends object, Real>(
  name: string,
  run: (model: Plain, real: Real) => void,
): fc.Command<Plain, Real> {
  return { check: () => true, run, toString: () => name }
}
