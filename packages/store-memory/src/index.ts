export { type MemoryStoreOptions, openMemoryStore } from './memory-store.ts'
export { MemoryPlace } from './place.ts'
