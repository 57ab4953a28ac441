import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fetchJson, useAdminToken } from './admin-client.ts'
import { isLetIn, readAdminToken } from './admin-token.ts'
import { sendJson } from './admin-http.ts'

const TOKEN = '0123456789abcdef0123456789abcdef'
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-token-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  useAdminToken(undefined)
  vi.unstubAllEnvs()
})

test('a file beside the config file that only its owner may read', () => {
  const path = join(folder, 'token')
  writeFileSync(path, `${TOKEN}\n`, { mode: 0o600 })
  const read = (file: string) => readAdminToken({ adminTokenFile: file }, folder)
  const refused = (said: string) => ({ ok: false, error: expect.stringContaining(said) as string })
  expect(read('token')).toEqual({ ok: true, value: { adminToken: TOKEN, adminTokenFile: path } })
  chmodSync(path, 0o640)
  expect(read('token')).toMatchObject(refused(`chmod 600 ${path}`))
  writeFileSync(path, 'short')
  chmodSync(path, 0o600)
  expect(read('token')).toMatchObject(refused('an admin token has 32 to 256'))
  expect(read('none')).toMatchObject(refused("the admin token can't be read"))
})

test('a command shows the token of the file that the environment names', async () => {
  const server = createServer((request, response) => {
    if (isLetIn(request, response, TOKEN)) sendJson(response, 200, 'in')
  })
  await new Promise<void>((resolve) => server.listen(8_060, '127.40.4.2', resolve))
  try {
    const url = 'http://127.40.4.2:8060/status'
    expect(await fetchJson(url)).toMatchObject({
      ok: false,
      error: expect.stringContaining('wants the admin token') as string,
    })
    const path = join(folder, 'token')
    writeFileSync(path, TOKEN, { mode: 0o644 })
    vi.stubEnv('HOLDFAST_ADMIN_TOKEN_FILE', path)
    expect(await fetchJson(url)).toMatchObject({ ok: false, error: expect.stringContaining('chmod 600') as string })
    chmodSync(path, 0o600)
    expect(await fetchJson(url)).toEqual({ ok: true, value: 'in' })
  } finally {
    server.close()
  }
})
