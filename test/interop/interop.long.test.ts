// `npm run interop` as tests: real software calls through a set, each replica is killed in turn, and no call is lost.

import { describe, expect, test } from 'vitest'
import { everything } from './everything.ts'
import { printTable, row } from './table.ts'

const missing = new Map(everything.map((software) => [software, software.missing()]))
for (const reason of new Set(missing.values())) if (reason !== null) console.warn(`skipped, interop: ${reason}`)

describe.each(everything)('$name, $role, $transport', (software) => {
  test.skipIf(missing.get(software) !== null)('answered and ringing calls outlive each replica', async () => {
    const outcome = await software.run(software.slot)
    console.log(printTable([row(software, outcome)]))
    expect(outcome.lost).toEqual([])
    expect(outcome.kills.filter(({ led }) => led).length, 'a leader was killed').toBeGreaterThan(0)
    expect(
      outcome.kills.reduce((sum, { owned }) => sum + owned, 0),
      'an owner was killed',
    ).toBeGreaterThan(0)
    expect(outcome.survived + outcome.cut.answered + outcome.cut.ringing).toBe(outcome.answered + outcome.ringing)
  })
})
