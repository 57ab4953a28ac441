// `npm run docs:build`: the docs as a folder of HTML, `site/` or the one that is named.

import { fileURLToPath } from 'node:url'
import { resolve } from 'node:path'
import { buildSite } from './build.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = resolve(process.argv[2] ?? `${root}site`)
buildSite(root, folder)
console.log(`${folder}/index.html`)
