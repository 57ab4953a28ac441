import { expect, test } from 'vitest'
import { hostLimits } from './limits.ts'
import { LoadWatch } from './load-watch.ts'

/** Seconds of a kind: `f`ull, never found empty; `e`mpty at times; `i`dle. What is said after each, `-` for nothing. */
function shares(seconds: string): string {
  const watch = new LoadWatch()
  return [...seconds]
    .map((kind) => {
      if (kind !== 'i') for (let i = 0; i < 100; i++) watch.round(hostLimits.fullRound)
      if (kind === 'e') watch.round(hostLimits.fullRound - 1)
      return watch.second() ?? '-'
    })
    .join(' ')
}

test('one second without finding the socket empty is a pause; from the second on the share is cut, again and again', () => {
  expect(shares('efeiff')).toBe('- - - - - 60')
  expect(shares('ffffffffffff')).toBe('- 60 36 21 12 7 5 - - - - -')
})

test('nothing is cut while it is found empty now and then, however much comes', () => {
  expect(shares('eeeeeeee')).toBe('- - - - - - - -')
})

test('ten seconds after the load all is as before', () => {
  expect(shares('fffffffiiiiiiiiiii')).toBe('- 60 36 21 12 7 5 15 25 35 45 55 65 75 85 95 100 -')
})

test('the share stays where the load just fits', () => {
  expect(shares('fffef')).toBe('- 60 36 46 -')
})
