import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

// One name per thing, and the one that a reader would search for. Each of these has another.

const root = join(import.meta.dirname, '../..')

/** What is not written, and what is written instead. */
const banned: readonly (readonly [expression: RegExp, instead: string])[] = [
  [/\bcan not\b/, 'cannot'],
  [/\b(?:un)?seal(?:s|ed|er|ers|ing)?\b/, 'encrypt, encrypted, cipher'],
  [/\bgenuine(?:ly)?\b/, 'valid, recognized'],
  [/\bforeign\b(?! key)/, 'unrecognized (a token), untrusted (an origin), another'],
  [/\bstray(?:s|ed)?\b/, 'another, left over, duplicate'],
  [/\bgather(?:s|ed|ing)?\b/, 'batch, batched'],
  [/\bvaults?\b/, 'key loader'],
  [/\bkeepers?\b/, 'key ring provider'],
  [/\b(?:is|are|was|were|be|been) drawn\b|\bdrawn\b/, 'random, generated, derived'],
  [/\bborn\b/, 'derived, created'],
  [/\b(?:by|of|leaves? to) chance\b|\bchance comes\b/, 'random'],
  [/\brooms?\b(?! for| to| left| of (?:a|the) (?:cookie|buffer))/, 'module'],
  [/\bhouses?\b|\bhousekeeping\b/, 'package, architecture, cleanup'],
  [/\blonely\b/, 'not batched, single'],
  [/\bturns? of the event loop\b|\bturn at (?:a|the) task\b/, 'tick of the event loop, lease'],
  [/\bwhoever\b/i, 'name the actor'],
  [/\b(?:is|are|was|were|be) told\b/, 'name the actor and the action: "Keyturn reports", "the client learns"'],
  [/\basked wrongly\b|\bmisfits?\b/, 'called with invalid arguments'],
  [/\bgarbage\b(?! collect)/, 'malformed, unrecognized'],
  [/\bdoors?\b|\bbells?\b|\bshel(?:f|ves)\b/, 'no metaphor'],
  [/\bnobody is logged out\b/, 'sessions are kept'],
  [/\bcore protocol\b/i, 'CDI'],
]

const files = globSync([
  'src/**/*.{ts,tsx}', 'test/**/*.{ts,tsx,mjs,svelte}', 'scripts/**/*.{ts,mjs}', 'bench/**/*.ts',
  'examples/**/*.{ts,tsx,js,mjs,html,svelte}',
  'console/src/**/*.{ts,tsx}', 'docs/**/*.md', 'clients/**/*.{py,md}', 'deploy/**/*', '*.md',
], {
  cwd: root,
  exclude: path => /(?:^|\/)(?:node_modules|dist|build|docs\/api|\.next|\.svelte-kit|\.output)(?:\/|$)/.test(path),
}).filter(path => /\.\w+$/.test(path) && !path.endsWith('scripts/words.test.ts'))

test.each(banned)('nobody writes %s', (expression, instead) => {
  const found = files.flatMap(path => readFileSync(join(root, path), 'utf8').split('\n').flatMap((line, index) => (
    expression.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 100)}`] : []
  )))
  expect(found, `write: ${instead}`).toEqual([])
})
