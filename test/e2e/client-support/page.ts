// The global `keyturn` of the pages in these tests: the client as applications import it, and the frameworks.
import axios from 'axios'
import { createElement, useEffect } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { createApp, h } from 'vue'
import { addSessionInterceptor } from '../../../src/client/axios.ts'
import { createClient } from '../../../src/client/index.ts'
import { createDevices, patchFetch } from '../../../src/client/parts.ts'
import { SessionProvider, useSession } from '../../../src/client/react.ts'
import { sessionStore } from '../../../src/client/svelte.ts'
import { useSession as useVueSession } from '../../../src/client/vue.ts'

export {
  addSessionInterceptor, axios, createApp, createClient, createDevices, createElement, createRoot, h, hydrateRoot,
  patchFetch, SessionProvider, sessionStore, useEffect, useSession, useVueSession,
}
export type { Client } from '../../../src/client/index.ts'
