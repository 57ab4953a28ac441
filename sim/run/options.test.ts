import { describe, expect, it } from 'vitest'
import { readSimOptions } from './options.ts'

describe('holdfast sim', () => {
  it.each([
    [[], { kind: 'seeds', first: 1, last: 20 }],
    [['--seed', '7'], { kind: 'seeds', first: 7, last: 7 }],
    [['--seeds', '3-9', '--json'], { kind: 'seeds', first: 3, last: 9 }],
    [['--crash-points'], { kind: 'crash-points', away: false, first: 1, last: 3, only: null }],
    [['--crash-points=glare', '--seed', '4'], { kind: 'crash-points', flows: ['glare'], first: 4, last: 4 }],
    [['--crash-points=all', '--json'], { kind: 'crash-points', away: true }],
    [['--speed', '--seeds', '2-3'], { kind: 'speed', first: 2, last: 3 }],
    [['--crash-points=pairs'], { kind: 'crash-points', away: false, first: 1, last: 1 }],
    [
      ['--crash-points=basic/1/2/300/4/lost+3/310/0/kept'],
      { kind: 'crash-points', only: { strikes: [{ how: 'lost' }, { point: { replica: 3 }, how: 'kept' }] } },
    ],
    [
      ['--crash-points=basic/1/2/300/4/lost'],
      { kind: 'crash-points', only: { strikes: [{ point: { replica: 2, input: 300, place: 4 }, how: 'lost' }] } },
    ],
    [['--replay', 'failure-seed-3.json'], { kind: 'replay', file: 'failure-seed-3.json' }],
    [['--minutes', '60'], { kind: 'minutes', minutes: 60, first: 1 }],
    [['--minutes', '0.5', '--seed', '5001'], { kind: 'minutes', minutes: 0.5, first: 5001 }],
    [
      ['--scenario', 'moved-and-back', '--seeds', '2-3'],
      { kind: 'schedule', schedule: { name: 'moved-and-back' }, first: 2, last: 3 },
    ],
    [['--seed', '4', '--html', 'run.html', '--doom', '--no-shrink'], { kind: 'seeds', first: 4, last: 4 }],
    [['--list'], { kind: 'list' }],
    [['--help'], { kind: 'help' }],
  ] as const)('%j', (args, what) => {
    expect(readSimOptions([...args])).toMatchObject({ what })
  })

  it.each([
    [['--seed', 'x'], '--seed wants a number, not "x"'],
    [['--seeds', '9-3'], '--seeds 9-3: the first is above the last'],
    [
      ['--seeds', '1-999999999'],
      '--seeds 1-999999999: at most 100000 in one run; --minutes N goes on until time is up',
    ],
    [['--seeds', '-1'], "Option '--seeds' argument is ambiguous; holdfast sim --help lists the options"],
    [['--seeds', '9'], '--seeds wants a range as 1-100, not "9"'],
    [['--seed', '1', '--seeds', '1-2'], '--seed and --seeds exclude each other'],
    [['--mutant', 'none'], 'no mutant is named "none"; holdfast sim --list shows them'],
    [['--scenario', 'none'], 'no scenario is named "none"; holdfast sim --list shows them'],
    [['--mutants', '--mutant', 'random-branch'], '--mutants and --mutant exclude each other'],
    [['--replay', 'x.json', '--mutants'], '--mutants and --replay exclude each other'],
    [['--crash-points', '--mutants'], '--crash-points and --mutants exclude each other'],
    [
      ['--crash-points=basic/1/4/200/0/kept'],
      '--crash-points=basic/1/4/200/0/kept is neither "all" nor "pairs" nor a flow nor FLOW/SEED/REPLICA/INPUT/PLACE/HOW; holdfast sim --list shows the flows',
    ],
    [['--minutes', '0'], '--minutes wants a number as 60 or 0.5, not "0"'],
    [['--minutes', '1', '--seeds', '1-9'], '--minutes and --seeds exclude each other; --seed N is the first one'],
    [['--minutes', '1', '--mutants'], '--mutants and --minutes exclude each other'],
    [
      ['--mutants', '--trace', 'x.txt'],
      '--trace has no meaning with --mutants; a failing seed is written to failure-seed-N.json: --replay failure-seed-N.json --trace FILE',
    ],
    [['--mutants', '--html', 'x.html'], '--html has no meaning with --mutants; --mutant NAME --html FILE shows one'],
    [['--speed', '--marks'], '--marks has no meaning with --speed; --seeds A-B --marks counts them'],
    [['--crash-points', '--marks'], '--marks has no meaning with --crash-points; --seeds A-B --marks counts them'],
    [['--seeds', '1-9', '--detect'], '--detect has no meaning with seeds; it goes with --mutants or --mutant NAME'],
    [
      ['--mutants', '--detect', '--markdown'],
      '--markdown has no meaning with --detect; --mutants --markdown is the table',
    ],
    [['--mutants', '--markdown', '--json'], '--markdown and --json exclude each other'],
    [['--replay', 'x.json', '--seed', '3'], '--replay runs the plan of its file: leave --seed out'],
    [
      ['--scenario', 'all-at-once', '--seeds', '1-9'],
      '--scenario all-at-once is one plan, which no seed changes: leave --seeds out',
    ],
    [
      ['--crash-points=basic/1/2/300/4/lost', '--seed', '2'],
      'the seed of a crash point is in its name: leave --seed out',
    ],
    [['--crash-points=pairs', '--seeds', '1-2'], '--crash-points=pairs runs one seed: --seed N'],
    [['--sed', '1'], "unknown option '--sed'; holdfast sim --help lists the options"],
  ] as const)('%j: %s', (args, complaint) => {
    expect(readSimOptions([...args])).toBe(complaint)
  })
})
