import { expect, test } from 'vitest'
import { Admission } from './admission.ts'

test('one address can’t take every place, and what has left makes room', () => {
  const admission = new Admission(4, 2)
  admission.came('127.0.0.1')
  admission.came('127.0.0.1')
  expect([admission.isFullFor('127.0.0.1'), admission.isFullFor('127.0.0.2'), admission.isFull]).toEqual([
    true,
    false,
    false,
  ])
  admission.came('127.0.0.2')
  admission.made()
  expect(admission.isFull).toBe(true)
  admission.left('127.0.0.1')
  expect([admission.isFullFor('127.0.0.1'), admission.isFull]).toEqual([false, false])
  admission.came('127.0.0.2')
  admission.ended()
  expect([admission.isFullFor('127.0.0.2'), admission.isFull]).toEqual([true, false])
})
