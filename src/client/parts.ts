// What many applications do not need, so that `keyturn/client` stays small: each function costs what it is.
export { createDevices } from './devices.ts'
export type { Device, Devices } from './devices.ts'
export { patchFetch } from './fetch-with-session.ts'
export { checkOnFocus, keepFresh } from './keep-fresh.ts'
export type { WatchedClient } from './keep-fresh.ts'
export { observe } from './observe.ts'
export type { ClientEvent, ObservedRequest, RequestKind } from './observe.ts'
export { reauthenticateWith } from './reauthenticate.ts'
