#!/usr/bin/env node
import { runCommandLine } from './run.ts'

// A reader such as `head` closes the pipe when it has read enough. A server outlives the reader of its log.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: line => process.stdout.write(`${line}\n`),
  error: line => process.stderr.write(`${line}\n`),
})
