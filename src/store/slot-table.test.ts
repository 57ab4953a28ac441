import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SlotTable } from './slot-table.ts'

function table(): { made: SlotTable; texts: Map<number, string> } {
  const texts = new Map<number, string>()
  const textOf = (ref: number): string => texts.get(ref) ?? ''
  return { made: new SlotTable({ textOf, isText: (ref, text) => textOf(ref) === text }), texts }
}

test('it is a map of texts to slots, also after removals among colliding ones', () => {
  // Few texts and small parts: places collide, and wrap around the end.
  const step = fc.record({ n: fc.nat({ max: 40_000 }), what: fc.constantFrom('add', 'add', 'remove') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const { made, texts } = table()
      const model = new Map<string, number>()
      let next = 1
      for (const { n, what } of steps) {
        const text = `t${n % 60}`
        const known = model.get(text)
        if (what === 'remove') {
          expect(made.remove(text)).toBe(known ?? 0)
          model.delete(text)
        } else if (known === undefined) {
          texts.set(next, text)
          made.add(text, next)
          model.set(text, next++)
        }
        for (const [there, ref] of model) expect(made.find(there)).toBe(ref)
      }
      expect(made.size).toBe(model.size)
      expect([...made.keys()].sort()).toEqual([...model.keys()].sort())
    }),
  )
})

test('many texts in one part: probing, growth and removal inside it', () => {
  const { made, texts } = table()
  const all: string[] = []
  const first = made.partOf('n0')
  for (let n = 0; all.length < 90; n++) if (made.partOf(`n${n}`) === first) all.push(`n${n}`)
  for (const [i, text] of all.entries()) {
    texts.set(i + 1, text)
    made.add(text, i + 1)
  }
  for (let i = 0; i < all.length; i += 3) expect(made.remove(all[i] as string)).toBe(i + 1)
  for (const [i, text] of all.entries()) expect(made.find(text)).toBe(i % 3 === 0 ? 0 : i + 1)
  expect(made.textsIn(first).toSorted()).toEqual(all.filter((_, i) => i % 3 !== 0).toSorted())
})
