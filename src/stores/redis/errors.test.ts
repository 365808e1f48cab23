import { expect, test } from 'vitest'
import { GeneralError } from '../../base/errors.ts'
import { isFromReplica, lacksRight, toStoreError } from './errors.ts'

/** How Redis 6.2 begins an error in a script. */
const inScript = 'ERR Error running script (call to f_a): @user_script:2: @user_script: 2:'

/** What the servers say, and what becomes of it. */
const answers = [
  ['OOM command not allowed when used memory > \'maxmemory\'.', 'STORE_UNAVAILABLE', /maxmemory/],
  [`${inScript} -OOM command not allowed`, 'STORE_UNAVAILABLE', /maxmemory/],
  ['MISCONF Redis is configured to save RDB snapshots', 'STORE_UNAVAILABLE', /disk/],
  ['NOREPLICAS Not enough good replicas to write.', 'STORE_UNAVAILABLE', /min-replicas-to-write/],
  ['READONLY You can\'t write against a read only replica. script: a', 'STORE_UNAVAILABLE', /is a replica/],
  [`${inScript} -READONLY You can't write`, 'STORE_UNAVAILABLE', /is a replica/],
  ['MASTERDOWN Link with MASTER is down', 'STORE_UNAVAILABLE', /without a connection to its primary/],
  ['LOADING Redis is loading the dataset in memory', 'STORE_UNAVAILABLE', /loading/],
  ['BUSY Redis is busy running a script.', 'STORE_UNAVAILABLE', /long script/],
  ['CLUSTERDOWN The cluster is down', 'STORE_UNAVAILABLE', /no primary/],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'STORE_UNAVAILABLE', /moving/],
  ['NOAUTH Authentication required.', 'STORE_UNAVAILABLE', /password/],
  ['WRONGPASS invalid username-password pair', 'STORE_UNAVAILABLE', /credentials/],
  ['MOVED 1 127.0.0.1:7000', 'MISUSE', /cluster client/],
  ['ASK 1 127.0.0.1:7000', 'MISUSE', /cluster client/],
  ['ERR ACL failure in script: User app has no permissions to run the \'xadd\' command', 'MISUSE', /add \+xadd to/],
  ['NOPERM User app has no permissions to run the \'config|get\' command', 'MISUSE', /add \+config\|get to/],
  ['NOPERM this user has no permissions to run the \'info\' command or its subcommand', 'MISUSE', /add \+info to/],
  ['NOPERM this user has no permissions to access one of the keys used as arguments', 'MISUSE', /add ~/],
  ['NOPERM this user has no permissions to access one of the channels used as arguments', 'MISUSE', /add &/],
  [`${inScript} The user executing the script can't run this command or subcommand`, 'MISUSE', /right/],
  ['Connection is closed.', 'STORE_UNAVAILABLE', /the call to Redis failed/],
] as const

test.each(answers)('an answer of the server becomes an error that says what it means: %s', (message, code, meaning) => {
  const error = toStoreError(new Error(`${message}, with args beginning with secret`))
  expect(error).toBeInstanceOf(GeneralError)
  expect(error).toMatchObject({ code, message: expect.stringMatching(meaning) })
  expect(`${error.message} ${error.cause}`).not.toMatch(/secret|User app/)
})

test('a replica and a missing right are recognized, in a script as well', () => {
  const messages = answers.map(([message]) => message)
  expect(messages.filter(message => isFromReplica(new Error(message)))).toHaveLength(3)
  expect(messages.filter(message => lacksRight(new Error(message)))).toHaveLength(6)
})
