// What the samples of docs/client.md use without introducing it: the client of its first sample, and names that the
// reader replaces.
import type { ComponentType } from 'react'
import type { Root } from 'react-dom/client'
import type { Router } from 'vue-router'
import type { Client } from 'keyturn/client'

declare global {
  var client: Client<{ role?: string }>
  var root: Root
  var router: Router
  var App: ComponentType
  var userId: string
  var password: string
  var handle: string
  var file: File
  function show(event: MessageEvent<string>): void
  function progress(event: ProgressEvent): void
}
