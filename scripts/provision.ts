import { spawnSync } from 'node:child_process'
import {
  findProgram,
  missingSoftware,
  packagesOf,
  type SoftwareName,
  unpackedPrograms,
} from '../test/support/servers/programs.ts'

// Runs as root. Debian starts a service as soon as it is installed unless a policy-rc.d forbids it; the tests run their
// own private servers and nothing else on the machine should change. A policy that is already there is left as it is.
const installPackages = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\\nexit 101\\n' >"$policy" && chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM HUP
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"
`

// Runs as anybody: fetches the same packages, with what they need and the machine lacks, and unpacks them into a folder.
const unpackPackages = `
set -e
folder=$1
shift
mkdir -p "$folder/.apt/lists/partial" "$folder/.apt/cache/archives/partial"
cd "$folder/.apt"
apt() { apt-get -qq -o Debug::NoLocking=1 -o Dir::State::lists="$PWD/lists" -o Dir::Cache="$PWD/cache" "$@"; }
apt update
apt download $(apt install -s --no-install-recommends "$@" | sed -n 's/^Inst \\([^ ]*\\).*/\\1/p')
for package in *.deb; do dpkg-deb -x "$package" "$folder"; done
rm -rf "$folder/.apt"
`

/**
 * Makes sure of what is missing of `software`: installs the Debian packages as root, or unpacks them into the
 * repository's cache as an ordinary user. Never fails: prints plainly what could not be had, and returns it.
 */
export function provision(software: readonly SoftwareName[]): SoftwareName[] {
  const missing = missingSoftware(software)
  if (missing.length === 0) return []
  const packages = packagesOf(missing)
  if (findProgram('apt-get') === null) {
    console.log(`keyturn: not installed: ${missing.join(', ')} (in Debian: ${packages.join(' ')})`)
    return missing
  }
  const asRoot = rootCommand()
  const words = asRoot === null
    ? runShell(['env'], unpackPackages, [unpackedPrograms, ...packages], `unpacking in .cache: ${packages.join(', ')}`)
    : runShell(asRoot, installPackages, packages, `installing with apt-get: ${packages.join(', ')}`)
  const stillMissing = missingSoftware(missing)
  if (stillMissing.length > 0) console.log(`keyturn: could not have: ${stillMissing.join(', ')}\n  ${words}`)
  return stillMissing
}

function runShell(prefix: readonly string[], script: string, args: readonly string[], announcement: string): string {
  console.log(`keyturn: for the tests, ${announcement}`)
  const [command, ...rest] = [...prefix, 'sh', '-c', script, 'sh', ...args]
  const { stdout, stderr } = spawnSync(command ?? 'env', rest, { encoding: 'utf8', timeout: 600_000 })
  return `${stdout}${stderr}`.trim().split('\n').slice(-8).join('\n  ')
}

function rootCommand(): string[] | null {
  if (process.getuid?.() === 0) return ['env']
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : null
}
