import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../docs/benchmarks/', import.meta.url))

/** Prints a report, and writes it to `docs/benchmarks` as Markdown and JSON. */
export function writeReport(name: string, data: unknown, lines: readonly string[]): void {
  const text = `${lines.join('\n')}\n`
  console.log(text)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}${name}.md`, text)
  writeFileSync(`${folder}${name}.json`, `${JSON.stringify(data, null, 2)}\n`)
}
