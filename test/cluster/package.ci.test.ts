// What is published: packed, installed in an empty folder, and run as JavaScript, without type stripping.

import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from './poll.ts'
import { exitOf, startProgram } from './programs.ts'
import { root } from './replica-set.ts'

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const program = startProgram(command, args, { cwd })
  const exit = await exitOf(program, `${command} ${args.join(' ')}`, 180_000)
  expect(exit, program.stderr()).toEqual({ code: 0, signal: null })
  return program.stdout()
}

test('the package works where it is installed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-package-'))
  try {
    const packed =
      (await run('npm', ['pack', '--silent', '--pack-destination', folder], root)).trim().split('\n').at(-1) ?? ''
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    await run('npm', ['install', '--silent', join(folder, packed)], folder)
    const main = join(folder, 'node_modules/holdfast/dist/src/main.js')
    const help = await run(process.execPath, ['--no-experimental-strip-types', main, '--help'], folder)
    expect(help).toContain('holdfast up')
    expect(await run(process.execPath, ['--no-experimental-strip-types', main, 'up', '--help'], folder)).toContain(
      '--next-hop',
    )
    expect(await run(process.execPath, [main, '--version'], folder)).toMatch(/^\d+\.\d+\.\d+\n$/)
    // JavaScript without a compiler of any kind gives the traces that the source gives.
    const seeds = ['sim', '--seeds', '1-4', '--json']
    const interpreted = await run(
      process.execPath,
      ['--jitless', '--no-experimental-strip-types', main, ...seeds],
      folder,
    )
    const stripped = await run(process.execPath, [join(root, 'src/main.ts'), ...seeds], root)
    expect(JSON.parse(interpreted)).toMatchObject({ seeds: 4, lost: 0, failure: null })
    expect(JSON.parse(interpreted)).toMatchObject({ traceHash: JSON.parse(stripped).traceHash as string })
    // The page is in it, its modules as JavaScript.
    for (const file of ['index.html', 'page.css', 'icon.svg', 'main.js']) {
      expect(existsSync(join(folder, 'node_modules/holdfast/dist/src/host/page', file)), file).toBe(true)
    }
    // Each public entry can be imported.
    const script =
      "for (const name of ['holdfast', 'holdfast/raft', 'holdfast/servlet', 'holdfast/sip', 'holdfast/sim']) if (Object.keys(await import(name)).length === 0) throw new Error(name)"
    await run(process.execPath, ['--no-experimental-strip-types', '--input-type=module', '-e', script], folder)
    // The examples run from it, and print what their doc says.
    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
    const doc = ['PROPERTY-TESTING', 'LOCKING']
      .map((name) => readFileSync(join(root, `docs/${name}.md`), 'utf8'))
      .join('')
    for (const name of readdirSync(join(root, 'docs/examples')).filter((file) => file.endsWith('.ts'))) {
      cpSync(join(root, 'docs/examples', name), join(folder, name))
      expect(doc).toContain(`$ node ${name}\n${await run(process.execPath, [name], folder)}`)
    }
    // A user's compiler takes all examples with the packed types alone: the options are those that docs/APPLICATIONS.md names.
    cpSync(join(root, 'docs/examples/applications'), join(folder, 'applications'), { recursive: true })
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const names = readdirSync(join(folder, 'applications')).map((name) => join('applications', name))
    const options = [
      '--noEmit',
      '--allowImportingTsExtensions',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'esnext',
      '--lib',
      'esnext,dom',
    ]
    await run(process.execPath, [compiler, ...options, '--types', '', ...names], folder)
    // The program of the package starts a set, with an application, and ends it.
    const bin = join(folder, 'node_modules/.bin/holdfast')
    const at = ['--sip', '127.0.61.10:5060', '--admin', '127.0.61.1:8060', '--peer', '127.0.61.1:8160']
    const set = startProgram(process.execPath, [bin, 'up', ...at, '--app', 'applications/prepaid.ts'], { cwd: folder })
    try {
      await until(`ready: ${set.stderr()}`, 20_000, () =>
        set.stdout().includes('ready: SIP on 127.0.61.10') ? true : null,
      )
      const status = await run(process.execPath, [bin, 'status', '--admin', '127.0.61.1:8060', '--json'], folder)
      expect(status).toContain('prepaid')
    } finally {
      set.signal('SIGTERM')
    }
    expect(await exitOf(set, 'up', 30_000)).toEqual({ code: 0, signal: null })
    // An application in TypeScript, in a worker of the compiled program.
    const module = join(root, 'docs/examples/applications/prepaid.ts')
    const config = JSON.stringify({ name: null, module, memoryMb: 64, timeLimitMs: 1_000 })
    const check = join(folder, 'node_modules/holdfast/dist/src/host/application-check.js')
    const load = `const { applicationTrouble } = await import('${check}'); console.log(await applicationTrouble({ applications: [${config}] }))`
    expect(await run(process.execPath, ['--input-type=module', '-e', load], folder)).toBe('null\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
