// What the options of a config file are described with (config-options.ts).

import type { Shape } from './config-shape.ts'

export const flag: Shape = { kind: 'flag' }
const none: Shape = { kind: 'choice', right: 'null', values: [null] }

export function text(right: string): Shape {
  return { kind: 'text', right }
}

export function orNull(of: Shape, right: string): Shape {
  return { kind: 'either', right, of: [none, of] }
}

export function whole(least: number, most: number, right: string): Shape {
  return { kind: 'number', isWhole: true, least, most, right }
}

export function counted(least: number, most: number, unit: string): Shape {
  return whole(least, most, `a whole number from ${least} to ${most}, of ${unit}`)
}

/** What a replica goes over to as it runs (reread.ts). */
export const reloaded = { change: 'reload' } as const
/** What is changed by restarting each replica with the new file, one after another. */
export const restarted = { change: 'restart' } as const
/** What a rolling restart refuses to change (reread.ts). */
export const started = { change: 'start' } as const
