#!/usr/bin/env node
'use strict'
// The `headrace` command: finds a Node that is new enough, as node.cjs does, and gives it the command's TypeScript.
const path = require('path')
process.argv.splice(2, 0, path.join(__dirname, '..', 'packages', 'cli', 'src', 'main.ts'))
require('./node.cjs')
