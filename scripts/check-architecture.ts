// Compares the source with the table in docs/architecture.md. Prints one line per violation.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkNames } from './architecture/names.ts'
import * as rules from './architecture/rules.ts'
import { readSourceFile } from './architecture/source-file.ts'

const root = join(import.meta.dirname, '..')

interface Manifest {
  readonly exports: unknown
  readonly imports?: Readonly<Record<string, { readonly 'keyturn-source': Readonly<Record<string, string>> }>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** Every violation in the repository, each as one sentence. */
export function checkArchitecture(): string[] {
  const paths = globSync('src/**/*.ts', { cwd: root }).sort()
  const files = paths.map((path) => readSourceFile(path, readFileSync(join(root, path), 'utf8')))
  const shipped = files.filter(({ path }) => !path.endsWith('.test.ts'))
  const existing = new Set([...globSync('{src,test}/**/*', { cwd: root }), 'package.json'])
  const manifest: Manifest = readJson('package.json')
  const aliases = aliasesOf(manifest)
  const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
  const withoutTable = [
    ...rules.checkTargets(files, existing),
    ...rules.checkNeutral(shipped),
    ...rules.checkPackages(shipped, declared),
    ...rules.checkLengths(files),
    ...rules.checkCycles(shipped),
    ...checkNames(new Map(shipped.map(({ path }) => [path, readFileSync(join(root, path), 'utf8')]))),
    ...rules.checkReach('src/index.ts', new Set(['server', 'cli']), shipped, aliases),
    ...rules.checkExports(manifest.exports, existing),
  ]
  if (!existsSync(join(root, 'docs/architecture.md'))) return ['docs/architecture.md is missing', ...withoutTable]
  const { table, problems } = rules.readModuleTable(readFileSync(join(root, 'docs/architecture.md'), 'utf8'))
  if (problems.length > 0) return [...problems, ...withoutTable]
  const references = readReferences()
  return [
    ...rules.checkModules(table, new Set(references.keys())),
    ...rules.checkReferences(table, references),
    ...rules.checkDependencies(table, shipped, aliases),
    ...withoutTable,
  ]
}

function readReferences(): Map<string, string[]> {
  return new Map(globSync('src/*/tsconfig.json', { cwd: root }).map((path) => {
    const { references = [] }: { references?: { path: string }[] } = readJson(path)
    return [rules.moduleOf(path) ?? '', references.map((reference) => reference.path.replace(/^\.\.\//, ''))]
  }))
}

function aliasesOf({ imports = {} }: Manifest): Map<string, string> {
  return new Map(Object.entries(imports).flatMap(([name, conditions]) => {
    const target = conditions['keyturn-source']['node']
    return target === undefined ? [] : [[name, target.replace(/^\.\//, '')] as const]
  }))
}

function readJson<Content>(path: string): Content {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}

if (import.meta.main) {
  const problems = checkArchitecture()
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length === 0 ? 0 : 1
}
