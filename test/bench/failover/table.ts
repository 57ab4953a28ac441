// The side-by-side table of a run, and what whole means.

import { CALLS } from './harness.ts'
import type { Counts, Run } from './harness.ts'

/** Every call as it should be at both ends, the counters right at each mark, nothing left. */
export function isWhole(run: Run): boolean {
  const calls = CALLS[run.exp]
  const done = run.uac['SuccessfulCall'] === calls && run.uas['SuccessfulCall'] === calls
  return done && stuck(run) === 0 && (run.exp !== 'timeout' || byes(run).every((one) => one === `${calls} of ${calls}`))
}

export function printRuns(runs: readonly Run[], about: string): string {
  const rows = runs.map((run) => {
    const { exp, target, uac, uas } = run
    const calls = CALLS[exp]
    const [toCaller, toCallee] = exp === 'timeout' ? byes(run) : ['', '']
    const cells = [
      exp,
      target,
      `${uac['SuccessfulCall']} of ${calls}`,
      `${uas['SuccessfulCall']} of ${calls}`,
      `${uac['Retransmissions']}, ${uas['Retransmissions']}`,
      shown(run, 'before_kill'),
      shown(run, 'after_vip_move'),
      exp === 'rejoin' ? shown(run, 'A_back') : '',
      shown(run, lastMark(run)),
      toCaller,
      toCallee,
    ]
    return `| ${cells.join(' | ')} |`
  })
  const heads = [
    'experiment',
    'system',
    'whole at callers',
    'at callees',
    'sent again by callers, callees',
    'counters before the kill',
    'after the address moved',
    'when A is back',
    'at the end',
    'BYEs to callers: of calls',
    'to callees',
  ]
  return [about, '', `| ${heads.join(' | ')} |`, `|${'---|'.repeat(heads.length)}`, ...rows, ''].join('\n')
}

function lastMark({ t }: Run): string {
  return Object.keys(t).at(-1) ?? ''
}

/** `A 200+0, B 200+0`: calls that are up, and those that ring; `of 7`: dialogs that are kept, if those are not as many. */
function shown({ t }: Run, mark: string): string {
  return nodesOf(t[mark])
    .map(([name, { active, early, all }]) => {
      const kept = all === undefined || all === (active ?? 0) + (early ?? 0) ? '' : ` of ${all}`
      return `${name} ${active ?? '?'}+${early ?? '?'}${kept}`
    })
    .join(', ')
}

function nodesOf(at: Run['t'][string] | undefined): readonly (readonly [string, Counts])[] {
  return Object.entries(at ?? {}).flatMap(([name, counts]) =>
    typeof counts === 'number' ? [] : [[name, counts] as const],
  )
}

/** What a node still counts, at most, once all calls have ended. */
function stuck(run: Run): number {
  const last = nodesOf(run.t[lastMark(run)])
  return last.length === 0
    ? Number.NaN
    : Math.max(...last.map(([, { all, active, early }]) => all ?? (active ?? 0) + (early ?? 0)))
}

/** BYEs of the set to callers and to callees: messages of calls. */
function byes({ wire }: Run): readonly [string, string] {
  const sum = (to: string): string => {
    const all = Object.entries(wire).filter(([way]) => way.endsWith(`>${to} BYE`))
    const [msgs, calls] = [all.reduce((n, [, one]) => n + one.msgs, 0), Math.max(0, ...all.map(([, one]) => one.calls))]
    return `${msgs} of ${calls}`
  }
  return [sum('UAC'), sum('UAS')]
}
