// 200,000 fuzzed messages (test/fuzz/): no throw, nothing slow, nothing inserted; and the slowest messages that we could think of.
// By the command: what a test runner makes of modules is slower than what Node does.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** What the command says; throws if it doesn't end with 0. */
function fuzz(...options: readonly string[]): string {
  const command = fileURLToPath(new URL('../fuzz/main.ts', import.meta.url))
  return execFileSync(process.execPath, [command, ...options], { encoding: 'utf8' })
}

test('200,000 messages of seed 1', () => {
  expect(fuzz('--messages', '200000', '--seed', '1')).toMatch(/^200000 messages .* 0 broke a property$/m)
})

test('5 ms suffice for any message of 64 kB', () => {
  expect(fuzz('--slow').split('\n').length).toBeGreaterThan(20)
})
