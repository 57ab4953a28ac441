import { describe, expect, it } from 'vitest'
import { defineApplication } from '../../src/servlet/application.ts'
import { defineSimulation, isSimulation } from './definition.ts'
import type { SimulationDefinition } from './definition.ts'

const plain = defineApplication({ name: 'plain' })
const talk = { ladder: '|--INVITE-->|\n|<--200--| 0.1..1s\n|--BYE-->| 1s' }

function fault(definition: unknown): string {
  try {
    defineSimulation(definition as SimulationDefinition)
  } catch (error) {
    return error instanceof TypeError ? error.message : `no TypeError: ${String(error)}`
  }
  return 'none'
}

describe("a simulation of applications of one's own", () => {
  it('is told by its kind', () => {
    expect(isSimulation(defineSimulation({ applications: [plain], calls: { talk } }))).toBe(true)
    expect([null, 1, {}, plain].filter(isSimulation)).toEqual([])
  })

  it.each([
    [{ applications: [], calls: {} }, /at least one/],
    [{ applications: [{}], calls: {} }, /applications\[0\] is no application: defineApplication makes one/],
    [{ applications: [plain, plain], calls: {} }, /two are called plain/],
    [{ applications: [plain], calls: {}, comitted: 1 }, /no "comitted"; did you mean committed\?/],
    [{ applications: [plain], calls: { 'a b': talk } }, /a name is 1 to 64 letters/],
    [{ applications: [plain], calls: { basic: talk } }, /a flow of that name/],
    [{ applications: [plain], calls: { a: { ladder: '|--HELLO-->|' } } }, /calls: a: ladder: what is "HELLO"\?/],
    [{ applications: [plain], calls: { a: { lader: '' } } }, /no "lader"; did you mean ladder\?/],
    [{ applications: [plain], calls: { a: { ...talk, from: 'bob smith' } } }, /"bob smith" is no user/],
    [{ applications: [plain], calls: { a: { ...talk, from: null } } }, /`to` says whose phone rings/],
    [{ applications: [plain], calls: {}, callsOfARun: 0 }, /callsOfARun: 0 should be 1 to 40/],
    [{ applications: [plain], calls: {}, router: { INVITE: ['other'] } }, /there is no application other/],
  ])('says what is wrong with number %#', (definition, said) => {
    expect(fault(definition)).toMatch(said)
  })
})
