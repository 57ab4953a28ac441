import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { index, replicaId, term } from '../base/brand.ts'
import { configuration } from '../raft/configuration.ts'
import { readBackup, writeBackup } from './backup-file.ts'
import type { Backup, BackupTitle } from './backup-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-backup-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const ids = [1, 2, 3].map(replicaId)
const title: BackupTitle = {
  set: '0123456789abcdef',
  replica: replicaId(2),
  voters: ids,
  at: '2026-01-01T00:00:00.000Z',
  last: 12,
  snapshot: { index: index(10), term: term(3), configuration: configuration(ids) },
  config: '{"set":"0123456789abcdef"}',
}
const bytes = (size: number, first: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (first + i) % 256)
/** More than is written at a time. */
const backup: Backup = { title, parts: [bytes(1_500_000, 1), bytes(3, 2)], records: [bytes(0, 0), bytes(700_000, 9)] }

async function written(): Promise<string> {
  const path = join(folder, 'a.backup')
  await writeBackup(path, backup)
  return path
}

test('what is written is read again, and only its owner may', async () => {
  const path = await written()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const read = readBackup(path)
  if (!read.ok) throw new Error(read.error)
  expect(read.value.title).toEqual(title)
  // Twice: a restore looks at the parts, then writes them.
  for (let i = 0; i < 2; i++) {
    expect([...read.value.parts].map((part) => Buffer.from(part))).toEqual(
      [...backup.parts].map((part) => Buffer.from(part)),
    )
  }
  expect(read.value.records.map((record) => Buffer.from(record))).toEqual(
    backup.records.map((record) => Buffer.from(record)),
  )
})

test('another file is not overwritten, and a backup that fails leaves none', async () => {
  const path = await written()
  await expect(writeBackup(path, backup)).rejects.toThrow('EEXIST')
  const parts = (function* () {
    yield bytes(3, 1)
    throw new Error('the disk broke')
  })()
  await expect(writeBackup(join(folder, 'b.backup'), { ...backup, parts })).rejects.toThrow('the disk broke')
  expect(readBackup(join(folder, 'b.backup'))).toMatchObject({
    ok: false,
    error: expect.stringContaining('ENOENT') as string,
  })
})

test('every flipped byte and every cut is found', async () => {
  const path = await written()
  const whole = readFileSync(path)
  const places = [0, 20, 400, 1_000_000, whole.length - 3]
  for (const at of places) {
    const flipped = Buffer.from(whole)
    flipped[at] = (flipped[at] ?? 0) ^ 4
    writeFileSync(path, flipped)
    expect(readBackup(path), `byte ${at}`).toMatchObject({
      ok: false,
      error: expect.stringContaining('damaged') as string,
    })
    writeFileSync(path, whole.subarray(0, at))
    expect(readBackup(path).ok, `cut at ${at}`).toBe(false)
  }
})

test('what is no backup is told', () => {
  const path = join(folder, 'c')
  writeFileSync(path, '')
  expect(readBackup(path)).toMatchObject({ error: expect.stringContaining('holdfast backup wrote') as string })
  writeFileSync(path, 'some text that is longer than the head of a record')
  expect(readBackup(path)).toMatchObject({ ok: false })
})
