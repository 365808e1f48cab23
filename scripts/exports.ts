// Generates docs/exports.md from the doc comments of what the package exports: npm run reference
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { asMarkdown } from './doc-comment.ts'

const root = join(import.meta.dirname, '..')
/** The path of the list. */
export const exportsPath: string = join(root, 'docs/exports.md')

/** An export of one entry of the package. */
export interface Export {
  readonly name: string
  readonly kind: string
  /** The first sentence of its doc comment; null if it has none. */
  readonly meaning: string | null
}

/** The exports of each entry, by specifier. */
export function readExports(): ReadonlyMap<string, readonly Export[]> {
  const { exports: entries }: { exports: Readonly<Record<string, string>> } =
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return new Map(Object.entries(entries).filter(([, file]) => file.endsWith('.js')).map(([path, file]) => [
    `keyturn${path.slice(1)}`,
    exportsOf(join(root, file.replace('./dist/', 'src/').replace(/\.js$/, '.ts')))
      .toSorted((left, right) => left.name < right.name ? -1 : 1),
  ]))
}

const declaration = /^export (?:declare |abstract |async )*(function|const|class|interface|type) (\w+)/
/** A doc comment, if there is one, a note for bundlers, and a declaration. */
const documented = new RegExp(
  `^(?:/\\*\\*((?:(?!\\*/)[^])*)\\*/\\n)?(?:/\\* @__\\w+__ \\*/\\n)?(?=(${declaration.source.slice(1)}))`, 'gm')

function exportsOf(file: string): Export[] {
  const source = readFileSync(file, 'utf8').replace(/^export \* as/gm, '')
  if (/^export \*/m.test(source)) throw new Error(`${relative(root, file)} exports names that it does not list`)
  const own = new Map<string, Export>()
  for (const [, comment = '', , kind = '', name = ''] of source.matchAll(documented)) {
    // Overloads share the comment of the first.
    if (!own.has(name)) own.set(name, { name, kind, meaning: firstSentence(comment) })
  }
  const passed = [...source.matchAll(/^export (?:type )?\{([^}]*)\} from '(.*)'$/gm)].flatMap(
    ([, list = '', from = '']) => {
      const known = new Map(exportsOf(join(dirname(file), from)).map(each => [each.name, each]))
      return list.split(',').map(name => name.trim()).filter(name => name !== '').map(name => {
        const found = known.get(name)
        if (found === undefined) throw new Error(`${relative(root, file)}: the declaration of ${name} is not found`)
        return found
      })
    },
  )
  return [...own.values(), ...passed]
}

function firstSentence(comment: string): string | null {
  const text = comment.replaceAll(/^ *\*/gm, '').split(/^ *@/m)[0]?.replaceAll(/\s+/g, ' ').trim() ?? ''
  const [sentence = ''] = /^.*?[.:](?= [A-Z`{]|$)|^.*$/.exec(text) ?? []
  const plain = asMarkdown(sentence.replaceAll(/\{@link ([\w.]+)\}/g, '`$1`'))
  return plain === '' ? null : plain.replace(/:$/, '.')
}

/** Generates the list. */
export function writeExports(): string {
  const sections = [...readExports()].map(([specifier, all]) => [
    `## \`${specifier}\``, '', '| export | | meaning |', '| --- | --- | --- |',
    ...all.map(({ name, kind, meaning }) => `| \`${name}\` | ${kind} | ${(meaning ?? '').replaceAll('|', '\\|')} |`),
  ].join('\n'))
  return `${[
    '# Exports',
    '<!-- Written by scripts/exports.ts from the doc comments. Do not edit. -->',
    'Everything that the package exports. An editor shows the whole comment of each, with its limits and errors. The '
      + 'options of the functions are in [configuration.md](configuration.md).',
    ...sections,
  ].join('\n\n')}\n`
}

if (import.meta.main) writeFileSync(exportsPath, writeExports())
