import type { SessionHandle } from '../../base/handle.ts'
import type { SessionRecord } from '../../session/record.ts'
import type { ListedSession } from '../../session/store.ts'
import type { Commands } from './connection.ts'
import type { KeyNames } from './key-names.ts'
import { toText } from './reply.ts'
import { HEAD_BYTES, parseListed, parseSession } from './session-json.ts'

/** Reads a session; null if there is none. */
export async function readRecord(
  { send }: Commands,
  names: KeyNames,
  handle: SessionHandle,
): Promise<SessionRecord | null> {
  const key = names.session(handle)
  return parseSession(handle, await send(key, ['GET', key]))
}

/** Reads what a list contains of a session; null if there is none. */
export async function readListed(
  commands: Commands,
  names: KeyNames,
  handle: SessionHandle,
): Promise<ListedSession | null> {
  const key = names.session(handle)
  const head = toText(await commands.send(key, ['GETRANGE', key, '0', `${HEAD_BYTES - 1}`]))
  if (head === '') return null
  return parseListed(handle, head) ?? readRecord(commands, names, handle)
}
