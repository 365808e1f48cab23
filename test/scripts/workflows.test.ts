// What the workflows may do. `test/package/tools.test.ts` has them read by actionlint, which must be fetched.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions?: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, {
    readonly 'permissions'?: Readonly<Record<string, string>>
    readonly 'timeout-minutes'?: number
  }>>
}

const paths = globSync('.github/workflows/*.yml', { cwd: root }).sort()
const actionsOf = (path: string): readonly string[] => (
  [...read(path).matchAll(/uses: (.*)/g)].map(([, action = '']) => action)
)
const workflows = paths.map((path): readonly [string, Workflow] => [path, parse(read(path))])

test.each(paths)('%s pins actions by the hash of a commit, with the version beside it', (path) => {
  const used = actionsOf(path)
  expect(used.length).toBeGreaterThan(0)
  expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([])
})

test('one version of each action is used', () => {
  const used = new Set(paths.flatMap(actionsOf))
  const names = [...used].map((action) => action.replace(/@.*/, ''))
  expect(names).toEqual([...new Set(names)])
})

test.each(workflows)('%s starts with the right to read at most, and ends', (_path, workflow) => {
  // It would run the code of a pull request with the rights of the repository.
  expect(Object.keys(workflow.on)).not.toContain('pull_request_target')
  expect([{}, { contents: 'read' }]).toContainEqual(workflow.permissions)
  for (const job of Object.values(workflow.jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0)
})

test('only the release may sign and write, each in a job of its own', () => {
  const rights = workflows.flatMap(([path, { jobs }]) => Object.entries(jobs).flatMap(([name, { permissions }]) => (
    permissions === undefined ? [] : [[path, name, permissions]]
  )))
  expect(rights).toEqual([
    ['.github/workflows/release.yml', 'publish', { 'contents': 'read', 'id-token': 'write' }],
    ['.github/workflows/release.yml', 'announce', { contents: 'write' }],
  ])
})

test('no value of an event gets into a shell as text', () => {
  for (const path of paths) expect(read(path).match(/run: .*\$\{\{.*/g), path).toBeNull()
})

test('.nvmrc has the version of the development dependency', () => {
  const manifest: { readonly devDependencies: Readonly<Record<string, string>> } = JSON.parse(read('package.json'))
  expect(read('.nvmrc').trim()).toBe(manifest.devDependencies['node'])
})

test('the forms of issues ask for what a report needs', () => {
  interface Form { readonly name: string; readonly body: readonly { readonly id?: string }[] }
  const bug: Form = parse(read('.github/ISSUE_TEMPLATE/bug.yml'))
  const feature: Form = parse(read('.github/ISSUE_TEMPLATE/feature.yml'))
  const asked = ({ body }: Form): readonly (string | undefined)[] => body.map(({ id }) => id)
  expect(asked(bug)).toEqual(expect.arrayContaining(['version', 'runtime', 'store', 'framework', 'steps', 'expected']))
  expect(asked(feature)).toContain('problem')
})
