import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string } // sound: our own file

/** Of this command, and of the server that it starts. */
export const VERSION = manifest.version
