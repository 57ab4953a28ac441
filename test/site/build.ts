// The pages as HTML: a folder that is read from disk or from any web server, without a script and without the network.

import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { posix } from 'node:path'
import { Marked } from 'marked'
import { isFolder, readPages } from './pages.ts'
import type { Page } from './pages.ts'

const index = 'docs/README.md'

/** Writes the site to `folder`, which is emptied before. Files that pages link to come along: images as they are, sources as pages. */
export function buildSite(root: string, folder: string): void {
  const pages = readPages(root)
  rmSync(folder, { recursive: true, force: true })
  const put = (path: string, text: string): void => {
    mkdirSync(posix.join(folder, posix.dirname(path)), { recursive: true })
    writeFileSync(posix.join(folder, path), text)
  }
  const contents = navigation(pages.get(index) as Page)
  const linked = new Set<string>()
  for (const page of pages.values()) {
    for (const { target } of page.links) if (target !== null) linked.add(target)
    put(pathOf(root, page.path), document(page.path, page.title, contents, body(root, page)))
  }
  for (const path of [...linked].sort()) {
    if (pages.has(path)) continue
    if (/\.(?:png|svg)$/.test(path)) cpSync(posix.join(root, path), posix.join(folder, path), { recursive: true })
    else put(pathOf(root, path), document(path, path, contents, `<h1>${escaped(path)}</h1>\n${fileBody(root, path)}`))
  }
  put('style.css', readFileSync(new URL('style.css', import.meta.url), 'utf8'))
}

/** Where a file of the repository is in the site. */
export function pathOf(root: string, path: string): string {
  if (path === index) return 'index.html'
  if (/\.(?:png|svg)$/.test(path)) return path
  if (path.endsWith('.md')) return path.replace(/\.md$/, '.html')
  return isFolder(root, path) ? `${path}/folder.html` : `${path}.html`
}

/** The headings of the index with what they lead to. */
function navigation(page: Page): readonly { readonly path: string; readonly title: string }[] {
  return page.links.flatMap(({ target }) =>
    target?.startsWith('docs/') === true && /docs\/[A-Z-]+\.md$/.test(target)
      ? [{ path: target, title: posix.basename(target, '.md').toLowerCase().replaceAll('-', ' ') }]
      : [],
  )
}

function body(root: string, page: Page): string {
  const here = pathOf(root, page.path)
  const anchors = page.anchors[Symbol.iterator]()
  const renderer = new Marked({ gfm: true })
  let nextLink = 0
  const hrefOf = (): string => {
    const { href, target, anchor } = page.links[nextLink++] as Page['links'][number]
    if (target === null) return href
    const there = target === page.path ? '' : relative(here, pathOf(root, target))
    return there + (anchor === null ? '' : `#${anchor}`)
  }
  // In the order in which readPage met them, which is the order of the text.
  renderer.walkTokens(page.tokens, (token) => {
    if (token.type === 'link' || token.type === 'image') token.href = hrefOf()
  })
  renderer.use({
    renderer: {
      heading({ tokens, depth }) {
        const anchor = anchors.next().value ?? ''
        return `<h${depth} id="${escaped(anchor)}">${this.parser.parseInline(tokens)}</h${depth}>\n`
      },
      table(token) {
        const cell = (one: (typeof token.header)[number], tag: string): string =>
          `<${tag}>${this.parser.parseInline(one.tokens)}</${tag}>`
        const head = token.header
          .map((one) => cell(one, 'th scope="col"').replace('</th scope="col">', '</th>'))
          .join('')
        const rows = token.rows.map((row) => `<tr>${row.map((one) => cell(one, 'td')).join('')}</tr>`).join('\n')
        return `<div class="wide" tabindex="0"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows}\n</tbody></table></div>\n`
      },
    },
  })
  return renderer.parser(page.tokens)
}

function fileBody(root: string, path: string): string {
  if (!isFolder(root, path)) return `<pre><code>${escaped(readFileSync(posix.join(root, path), 'utf8'))}</code></pre>`
  const names = readdirSync(posix.join(root, path)).sort()
  // Only pages are there for certain; other files are named.
  const items = names.map((name) =>
    name.endsWith('.md')
      ? `<li><a href="${escaped(name.replace(/\.md$/, '.html'))}">${escaped(name)}</a></li>`
      : `<li>${escaped(name)}</li>`,
  )
  return `<ul>\n${items.join('\n')}\n</ul>`
}

function document(path: string, title: string, contents: ReturnType<typeof navigation>, main: string): string {
  const folder = posix.dirname(path === index ? 'index.html' : path.endsWith('.md') ? path : `${path}/x`)
  const here = path === index ? 'index.html' : posix.join(folder, 'x')
  const to = (target: string): string => escaped(relative(here, target))
  const items = contents.map(({ path: one, title: said }) => {
    const current = one === path ? ' aria-current="page"' : ''
    return `<li><a href="${to(one.replace(/\.md$/, '.html'))}"${current}>${escaped(said)}</a></li>`
  })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} - Holdfast</title>
<link rel="stylesheet" href="${to('style.css')}">
</head>
<body>
<nav aria-label="Pages"><a href="${to('index.html')}">Holdfast</a>
<ul>
${items.join('\n')}
</ul></nav>
<main>
${main}</main>
</body>
</html>
`
}

function relative(from: string, to: string): string {
  return posix.relative(posix.dirname(from), to)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
