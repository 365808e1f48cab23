import { platform } from '#platform'
import type { SessionStore } from '../session/store.ts'
import { encryptKeys } from '../tokens/change-keys.ts'
import { encryptionError, isEncrypted, planEncryption } from '../tokens/encryption.ts'
import { createKeyLoader } from '../tokens/key-material.ts'
import type { StoredKey } from '../tokens/key-store.ts'
import type { ExitCode, Terminal } from './command.ts'

/**
 * `keyturn keys encrypt`: encrypts the keys of a store in place, and lists them. Exit code 0 also if all are encrypted
 * already, so that a deployment can repeat it; 1 if there are no keys, or if only some are encrypted and `finish` is
 * false.
 */
export async function encrypt(
  store: SessionStore,
  secrets: readonly string[],
  finish: boolean,
  json: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  const loader = await createKeyLoader(platform.crypto, secrets)
  const keys = await store.listKeys()
  // If one store had keys of two different secrets, no process with only one of them could start.
  await loader.accept(keys.filter(isEncrypted))
  const plan = planEncryption(keys, finish)
  switch (plan.kind) {
    case 'no-keys':
      terminal.error('there are no keys yet: a process that starts with the secret creates encrypted ones')
      return 1
    case 'already-encrypted':
      terminal.out(json ? JSON.stringify({ encrypted: [] }) : `All ${keys.length} keys are encrypted already.`)
      return 0
    case 'mixed':
      terminal.error(encryptionError({ kind: 'mixed', kids: plan.keys.map(({ kid }) => kid) }).message)
      return 1
    case 'encrypt':
      report(await encryptKeys({ store, loader }, plan.keys), json, terminal)
  }
  const left = (await store.listKeys()).filter(key => !isEncrypted(key))
  if (left.length === 0) return 0
  terminal.error(`meanwhile, a process without the secret added unencrypted keys (${left.length}): `
    + 'stop that process, then run this command again with --finish')
  return 1
}

function report(encrypted: readonly StoredKey[], json: boolean, terminal: Terminal): void {
  if (json) {
    terminal.out(JSON.stringify({ encrypted: encrypted.map(({ kid, purpose }) => ({ kid, purpose })) }))
    return
  }
  for (const { kid, purpose } of encrypted) terminal.out(`Encrypted ${kid} (${purpose}).`)
  terminal.out(`${encrypted.length} ${encrypted.length === 1 ? 'key is' : 'keys are'} encrypted. `
    + 'Every process needs the secret from now on: without it, a process does not start.')
}
