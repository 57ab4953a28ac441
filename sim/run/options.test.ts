import { describe, expect, it } from 'vitest'
import { readSimOptions } from './options.ts'

describe('holdfast sim', () => {
  it.each([
    [[], { kind: 'seeds', first: 1, last: 20 }],
    [['--seed', '7'], { kind: 'seeds', first: 7, last: 7 }],
    [['--seeds', '3-9', '--json'], { kind: 'seeds', first: 3, last: 9 }],
    [['--list'], { kind: 'list' }],
    [['--help'], { kind: 'help' }],
  ] as const)('%j', (args, what) => {
    expect(readSimOptions([...args])).toMatchObject({ what })
  })

  it.each([
    [['--seed', 'x'], '--seed wants a number, not "x"'],
    [['--seeds', '9-3'], '--seeds 9-3: the first is above the last'],
    [['--seeds', '9'], '--seeds wants a range as 1-100, not "9"'],
    [['--seed', '1', '--seeds', '1-2'], '--seed and --seeds exclude each other'],
    [['--mutant', 'none'], 'no mutant is named "none"; holdfast sim --list shows them'],
    [['--scenario', 'none'], 'no scenario is named "none"; holdfast sim --list shows them'],
    [['--mutants', '--mutant', 'random-branch'], '--mutants and --mutant exclude each other'],
    [['--crash-points=all'], '--crash-points is not built yet; --seeds, --scenario and --mutants are'],
    [['--sed', '1'], "unknown option '--sed'; holdfast sim --help lists the options"],
  ] as const)('%j: %s', (args, complaint) => {
    expect(readSimOptions([...args])).toBe(complaint)
  })
})
