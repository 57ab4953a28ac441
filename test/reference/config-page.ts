// docs/CONFIG.md, of the options' description (src/host/config-options.ts).

import { CONFIG, SINCE } from '../../src/host/config-options.ts'
import type { Field, Fields, Shape } from '../../src/host/config-shape.ts'

const HEAD = `# The config file

One JSON file describes a set; each machine of it has the same. \`holdfast init\` asks and writes one, \`holdfast up --print-config\` prints that of a set on this machine,
\`holdfast check FILE\` says all that is wrong with one. \`holdfast up --config FILE\` runs all its replicas on this machine,
\`holdfast start --config FILE --replica ID\` one of them. For editors that complete options, put \`"$schema": "./config.schema.json"\`
into the file and [config.schema.json](config.schema.json) beside it (\`holdfast check --schema\` prints it).

This page is made of the description that files are checked against (\`src/host/config-options.ts\`). All options are there since ${SINCE}, but
for those that say otherwise. Relative paths lie beside the file. How a change of one takes effect:

- *reload*: change the file, then \`holdfast reload --config\`: an \`up\` has all its replicas go over to it, a \`start\` is asked at its own
  \`--admin\` address, each for itself. Calls that are up stay as they began, new ones go by the new file. It is all or nothing: where something
  else has changed too, it says so and does nothing. A restart does it as well.
- *restart*: change the file, then restart the replicas one after another; no call is lost. \`holdfast restart --rolling\` does both of an \`up\`
  that was started with \`--config\`: the file is read anew, and one that isn't right restarts nothing. Where \`start\` runs a replica, put
  the new file there and restart it by its supervisor (SIGTERM drains it). Two replicas may differ meanwhile.
- *start*: all must have it alike: end the set and start it; its calls go on from disk.
- *file*: the file that it names is read again when it changes.
- *never*: it is what makes the set this set, or \`holdfast members\` changes it.
`

export function configPage(): string {
  return `${[HEAD, ...sections('', CONFIG)].join('\n')}`
}

/** A table of an object's options, and then one for each object in it. */
function sections(place: string, shape: Shape): readonly string[] {
  const fields = fieldsOf(shape)
  if (fields === null) return []
  const rows = Object.entries(fields).map(([name, field]) => rowOf(name, field))
  const inner = Object.entries(fields).flatMap(([name, field]) =>
    sections(`${place}${name}${suffix(field.shape)}`, field.shape),
  )
  const title = place === '' ? 'The file' : `\`${place.replace(/\.$/, '')}\``
  const head = ['| option | type | default | change | |', '|---|---|---|---|---|']
  return [`## ${title}\n`, [...head, ...rows].join('\n'), '', ...inner]
}

/** Of what is an object, or has objects in it. */
function fieldsOf(shape: Shape): Fields | null {
  switch (shape.kind) {
    case 'object':
      return shape.fields
    case 'list':
    case 'map':
      return fieldsOf(shape.of)
    case 'either':
      return shape.of.map(fieldsOf).find((fields) => fields !== null) ?? null
    default:
      return null
  }
}

function suffix(shape: Shape): string {
  if (shape.kind === 'list') return '[].'
  return shape.kind === 'either' ? '.METHOD[].' : '.'
}

function rowOf(name: string, { shape, usual, isRequired, what, why, change, since }: Field): string {
  const left = isRequired === true ? '(needed)' : usual === undefined ? '' : `\`${JSON.stringify(usual)}\``
  const told = [what, why, since === undefined ? undefined : `Since ${since}.`].filter((text) => text !== undefined)
  return `| \`${name}\` | ${typeOf(shape)} | ${left} | ${change} | ${told.join(' ').replaceAll('|', '\\|')} |`
}

function typeOf(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
      return 'text'
    case 'number':
      return `${shape.isWhole ? 'whole number' : 'number'}, ${shape.least} to ${shape.most}`
    case 'flag':
      return 'true, false'
    case 'choice':
      return shape.values.map((value) => `\`${JSON.stringify(value)}\``).join(', ')
    case 'list':
      return `list of ${typeOf(shape.of)}`
    case 'object':
      return 'object'
    case 'map':
      return `object by name, of ${typeOf(shape.of)}`
    case 'either':
      return shape.of.map(typeOf).join(', or ')
  }
}
